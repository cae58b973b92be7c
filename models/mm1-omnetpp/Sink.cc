// Measures how long customers stayed in the system.
//
// Theory (Kleinrock, Queueing Systems, vol. 1, 3.2): with arrival rate lambda and service rate mu,
// the mean time in the system is 1 / (mu - lambda).

#include <omnetpp.h>

using namespace omnetpp;

class Sink : public cSimpleModule
{
    int toSkip = 0;
    int toMeasure = 0;
    simsignal_t timeInSystem = registerSignal("timeInSystem");

  protected:
    void initialize() override
    {
        toSkip = par("warmupCustomers");
        toMeasure = par("customers");
        if (par("arrivalRate").doubleValue() >= par("serviceRate").doubleValue())
            throw cRuntimeError("The queue is not stable: more customers come than can be served");
    }

    void handleMessage(cMessage *customer) override
    {
        simtime_t stayed = simTime() - customer->getCreationTime();
        delete customer;
        if (toSkip > 0) {
            toSkip--;
            return;
        }
        emit(timeInSystem, stayed);
        if (--toMeasure == 0)
            throw cTerminationException("All customers measured");
    }

    void finish() override
    {
        double arrivalRate = par("arrivalRate");
        double serviceRate = par("serviceRate");
        recordScalar("arrivalRate", arrivalRate);
        recordScalar("serviceRate", serviceRate);
        recordScalar("timeInSystem:theory", 1 / (serviceRate - arrivalRate), "s");
        recordScalar("customers", par("customers").intValue() - toMeasure);
    }
};

Define_Module(Sink);
