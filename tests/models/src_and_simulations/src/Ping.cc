#include <omnetpp.h>

using namespace omnetpp;

class Ping : public cSimpleModule
{
    int seen = 0;

  protected:
    void initialize() override { scheduleAt(1, new cMessage("ping")); }

    void handleMessage(cMessage *message) override
    {
        if (++seen < par("times").intValue())
            scheduleAt(simTime() + exponential(1), message);
        else
            delete message;
    }

    void finish() override { recordScalar("seen", seen); }
};

Define_Module(Ping);
