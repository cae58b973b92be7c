// Sends customers, for ever.

#include <omnetpp.h>

using namespace omnetpp;

class Source : public cSimpleModule
{
    cMessage *next = nullptr;

  public:
    ~Source() override { cancelAndDelete(next); }

  protected:
    void initialize() override
    {
        next = new cMessage("next");
        scheduleAt(simTime() + par("interArrivalTime"), next);
    }

    void handleMessage(cMessage *) override
    {
        send(new cMessage("customer"), "out");
        scheduleAt(simTime() + par("interArrivalTime"), next);
    }
};

Define_Module(Source);
