// One server and those who wait for it.

#include <omnetpp.h>

using namespace omnetpp;

class Queue : public cSimpleModule
{
    cQueue waiting;
    cMessage *served = nullptr;  // who is being served; null while nobody is
    cMessage *done = nullptr;
    int toSkip = 0;
    simsignal_t queueLength = registerSignal("queueLength");
    simsignal_t busy = registerSignal("busy");

  public:
    ~Queue() override
    {
        cancelAndDelete(done);
        delete served;
    }

  protected:
    void initialize() override
    {
        done = new cMessage("done");
        toSkip = par("warmupCustomers");
    }

    void handleMessage(cMessage *message) override
    {
        if (message == done)
            depart();
        else if (served == nullptr)
            serve(message);
        else
            waiting.insert(message);
        record();
    }

    void depart()
    {
        send(served, "out");
        served = nullptr;
        if (toSkip > 0)
            toSkip--;
        if (!waiting.isEmpty())
            serve(check_and_cast<cMessage *>(waiting.pop()));
    }

    void serve(cMessage *customer)
    {
        served = customer;
        scheduleAt(simTime() + par("serviceTime"), done);
    }

    void record()
    {
        if (toSkip > 0)
            return;
        emit(queueLength, waiting.getLength());
        emit(busy, served != nullptr ? 1 : 0);
    }
};

Define_Module(Queue);
