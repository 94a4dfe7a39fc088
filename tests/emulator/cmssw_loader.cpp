// Loads emulators as CMSSW does and plays events through all of them, in threads.
//
//   cmssw_loader N_THREADS (LIBRARY N_INPUTS N_OUTPUTS INPUTS EXPECTED)...
//
// INPUTS and EXPECTED hold raw 32-bit integers, event after event. Prints the events and the
// values that differed, for each library, and the allocations during the last pass.
#include <dlfcn.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "emulator_model.hpp"

extern "C" void *__libc_malloc(size_t);
static std::atomic<long> n_allocations{0};
extern "C" void *malloc(size_t size) {
  ++n_allocations;
  return __libc_malloc(size);
}

struct Loaded {
  std::string path;
  int n_inputs, n_outputs;
  std::vector<int> inputs, expected;
  hls4mlEmulator::Model *(*create)();
  void (*destroy)(hls4mlEmulator::Model *);
  std::atomic<long> n_events{0}, n_different{0};
};

static std::vector<int> read_integers(const char *path) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), {});
  const int *first = reinterpret_cast<const int *>(bytes.data());
  return std::vector<int>(first, first + bytes.size() / sizeof(int));
}

static void check_refusals(hls4mlEmulator::Model &model, const std::string &path) {
  try {
    model.prepare_input(std::any(3.5));
    std::printf("%s took a double\n", path.c_str());
  } catch (const std::invalid_argument &error) {
    std::printf("%s\n", error.what());
  }
}

static void play(std::vector<Loaded> &libraries) {
  std::vector<hls4mlEmulator::Model *> models;
  for (Loaded &library : libraries) models.push_back(library.create());
  const size_t n_events = libraries[0].inputs.size() / libraries[0].n_inputs;
  for (size_t event = 0; event < n_events; ++event)
    for (size_t i = 0; i < models.size(); ++i) {
      Loaded &library = libraries[i];
      int result[64];
      const int *input = library.inputs.data() + event * library.n_inputs;
      models[i]->prepare_input(std::any(input));
      models[i]->predict();
      models[i]->read_result(std::any(static_cast<int *>(result)));
      ++library.n_events;
      for (int k = 0; k < library.n_outputs; ++k)
        library.n_different += result[k] != library.expected[event * library.n_outputs + k];
    }
  for (size_t i = 0; i < models.size(); ++i) libraries[i].destroy(models[i]);
}

int main(int argc, char **argv) {
  const int n_threads = std::atoi(argv[1]);
  std::vector<Loaded> libraries((argc - 2) / 5);
  for (size_t i = 0; i < libraries.size(); ++i) {
    char **arguments = argv + 2 + 5 * i;
    Loaded &library = libraries[i];
    library.path = arguments[0];
    library.n_inputs = std::atoi(arguments[1]);
    library.n_outputs = std::atoi(arguments[2]);
    library.inputs = read_integers(arguments[3]);
    library.expected = read_integers(arguments[4]);
    void *handle = dlopen(arguments[0], RTLD_LAZY | RTLD_LOCAL);
    if (!handle) return std::fprintf(stderr, "%s\n", dlerror()), 2;
    library.create = reinterpret_cast<decltype(library.create)>(dlsym(handle, "create_model"));
    library.destroy = reinterpret_cast<decltype(library.destroy)>(dlsym(handle, "destroy_model"));
    hls4mlEmulator::Model *model = library.create();
    check_refusals(*model, library.path);
    library.destroy(model);
  }
  play(libraries);
  const long before = n_allocations;
  play(libraries);
  // One model each and the list of them, which grows.
  const long during = n_allocations - before;
  std::vector<std::thread> threads;
  for (int i = 0; i < n_threads; ++i) threads.emplace_back([&] { play(libraries); });
  for (std::thread &thread : threads) thread.join();
  for (const Loaded &library : libraries)
    std::printf("%s events %ld different %ld\n", library.path.c_str(), library.n_events.load(),
                library.n_different.load());
  std::printf("allocations %ld\n", during);
  return 0;
}
