#ifndef NETLIB_COUNTER_H
#define NETLIB_COUNTER_H

#include <omnetpp.h>

namespace netlib {

/** Counts ticks, one a second; a subclass may say what a tick is worth. */
class Counter : public omnetpp::cSimpleModule
{
    int total = 0;

  protected:
    void initialize() override;
    void handleMessage(omnetpp::cMessage *message) override;
    void finish() override;
    virtual int worth() { return 1; }
};

}  // namespace netlib

#endif
