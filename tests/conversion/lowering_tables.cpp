// Prints the tables that hls4ml's own header computes, as hexadecimal floats or raw integers.

#include "nnet_utils/nnet_activation.h"
#include <cstdio>

typedef ap_fixed<18, 8, AP_RND, AP_SAT> ap_fixed_sat;
typedef ap_ufixed<7, 3> ap_ufixed_wrap;
typedef ap_fixed<7, 3, AP_TRN, AP_SAT_ZERO> ap_fixed_zero;

template <class T> void print_entry(T entry) { printf(" %lld", (long long)entry.range().to_int64()); }
template <> void print_entry(float entry) { printf(" %a", entry); }

template <class T> void print(const char *name, const T *table, unsigned size) {
    printf("%s %u", name, size);
    for (unsigned i = 0; i < size; i++) print_entry(table[i]);
    printf("\n");
}

template <class T> struct config {
    typedef T table_t;
};

template <class T, int SIZE> void functions() {
    static T table[SIZE];
    nnet::init_sigmoid_table<config<T>, SIZE>(table); print("sigmoid", table, SIZE);
    nnet::init_tanh_table<config<T>, SIZE>(table); print("tanh", table, SIZE);
    nnet::init_softplus_table<config<T>, SIZE>(table); print("softplus", table, SIZE);
    nnet::init_softsign_table<config<T>, SIZE>(table); print("softsign", table, SIZE);
    nnet::init_elu_table<config<T>, SIZE>(table); print("elu", table, SIZE);
    nnet::init_selu_table<config<T>, SIZE>(table); print("selu", table, SIZE);
    nnet::init_exp_table_legacy<config<T>, SIZE>(table); print("legacy_exponentials", table, SIZE);
    nnet::init_invert_table_legacy<config<T>, SIZE>(table); print("legacy_inverses", table, SIZE);
}

template <class T, int SIZE, int SCALE> struct softmax_config {
    typedef T exp_table_t;
    typedef T inv_table_t;
    static const unsigned exp_table_size = SIZE;
    static const unsigned inv_table_size = SIZE;
    static constexpr float exp_scale = SCALE / 8.0f;
};

template <class INDEX, class T, int SIZE, int SCALE> void softmax(const char *index) {
    static T table[SIZE];
    char name[80];
    typedef softmax_config<T, SIZE, SCALE> setup;
    nnet::init_exp_table<INDEX, setup>(table, false);
    snprintf(name, sizeof name, "exponentials|%s|%d|0", index, SCALE); print(name, table, SIZE);
    nnet::init_exp_table<INDEX, setup>(table, true);
    snprintf(name, sizeof name, "exponentials|%s|%d|1", index, SCALE); print(name, table, SIZE);
    nnet::init_invert_table<INDEX, setup>(table);
    snprintf(name, sizeof name, "inverses|%s|%d|0", index, SCALE); print(name, table, SIZE);
}

#define SOFTMAX(T, SIZE, SCALE, ...) softmax<__VA_ARGS__, T, SIZE, SCALE>(#__VA_ARGS__)

int main() {
    functions<float, 1024>();
    functions<float, 4096>();
    functions<float, 100>();
    functions<float, 7>();
    printf("format ap_fixed<18,8>\n");
    functions<ap_fixed<18, 8>, 1024>();
    printf("format ap_fixed<9,2,AP_RND_CONV,AP_SAT>\n");
    functions<ap_fixed<9, 2, AP_RND_CONV, AP_SAT>, 512>();
    printf("softmax float\n");
    SOFTMAX(float, 1024, 8, ap_fixed<16,6>);
    SOFTMAX(float, 64, 3, ap_ufixed<6,10>);
    SOFTMAX(float, 256, 8, ap_ufixed<8,3>);
    printf("softmax ap_fixed<18,8,AP_RND,AP_SAT>\n");
    SOFTMAX(ap_fixed_sat, 1024, 8, ap_fixed<18,8>);
    printf("softmax ap_ufixed<7,3>\n");
    SOFTMAX(ap_ufixed_wrap, 64, 8, ap_fixed<12,9>);
    printf("softmax ap_fixed<7,3,AP_TRN,AP_SAT_ZERO>\n");
    SOFTMAX(ap_fixed_zero, 64, 8, ap_fixed<12,9>);
}
