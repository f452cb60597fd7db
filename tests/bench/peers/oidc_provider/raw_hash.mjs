// CPU microseconds of one hash in the library that the provider uses.
import argon2 from 'argon2';

const cost = {
  type: argon2.argon2id, memoryCost: +process.env.MEMORY_KIB, timeCost: +process.env.PASSES,
  parallelism: 1,
};
const rounds = 40;
await argon2.hash('of many a round', cost);
const began = process.cpuUsage();
for (let i = 0; i < rounds; i += 1) await argon2.hash('of many a round', cost);
const { user, system } = process.cpuUsage(began);
console.log((user + system) / rounds);
