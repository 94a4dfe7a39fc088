// The interface by which CMSSW uses an emulator (hls4mlEmulator::Model): the order of the
// virtual functions is the binary interface.
#ifndef TRIGFORGE_EMULATOR_MODEL_HPP
#define TRIGFORGE_EMULATOR_MODEL_HPP

#include <any>

namespace hls4mlEmulator {

class Model {
public:
  virtual void prepare_input(std::any input) = 0;
  virtual void predict() = 0;
  virtual void read_result(std::any result) = 0;
  virtual ~Model() = default;
};

} // namespace hls4mlEmulator

#endif
