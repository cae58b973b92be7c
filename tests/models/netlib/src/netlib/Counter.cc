#include "netlib/Counter.h"

#include "netlib/Tick_m.h"

#ifndef WITH_QUIET
#error "The feature Quiet is enabled, and its flag is missing"
#endif

using namespace omnetpp;

namespace netlib {

Define_Module(Counter);

void Counter::initialize()
{
    Tick *tick = new Tick("tick");
    tick->setNumber(1);
    scheduleAt(simTime() + 1, tick);
}

void Counter::handleMessage(cMessage *message)
{
    Tick *tick = check_and_cast<Tick *>(message);
    total += worth();
    if (tick->getNumber() == par("ticks").intValue()) {
        delete tick;
        return;
    }
    tick->setNumber(tick->getNumber() + 1);
    scheduleAt(simTime() + 1, tick);
}

void Counter::finish()
{
    recordScalar("total", total);
}

}  // namespace netlib
