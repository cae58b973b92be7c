#include "netlib/Counter.h"

/** Every tick counts twice. */
class Doubler : public netlib::Counter
{
  protected:
    int worth() override { return 2; }
};

Define_Module(Doubler);
