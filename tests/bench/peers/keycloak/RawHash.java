import java.lang.management.ManagementFactory;
import org.bouncycastle.crypto.generators.Argon2BytesGenerator;
import org.bouncycastle.crypto.params.Argon2Parameters;

/** CPU microseconds of one argon2id in the library that Keycloak uses: KIB PASSES. */
class RawHash {
  static void hash(int kib, int passes) {
    Argon2BytesGenerator generator = new Argon2BytesGenerator();
    generator.init(new Argon2Parameters.Builder(Argon2Parameters.ARGON2_id)
        .withSalt(new byte[16]).withParallelism(1).withMemoryAsKB(kib).withIterations(passes)
        .build());
    generator.generateBytes("of many a round".toCharArray(), new byte[32]);
  }

  static long cpu() {
    return ((com.sun.management.OperatingSystemMXBean)
        ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
  }

  public static void main(String[] words) {
    int kib = Integer.parseInt(words[0]);
    int passes = Integer.parseInt(words[1]);
    // The first hundred are compiled while they run.
    for (int i = 0; i < 100; ++i) hash(kib, passes);
    long began = cpu();
    for (int i = 0; i < 60; ++i) hash(kib, passes);
    System.out.println((cpu() - began) / 60 / 1e3);
  }
}
