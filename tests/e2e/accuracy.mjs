// Compares the answers of `predict --json` with the truth of `world render`.
//
//   node accuracy.mjs truth.csv answers.json LEAST_TOP1

import { readFileSync } from 'node:fs';

const [truthFile, answersFile, least] = process.argv.slice(2);

// The first two columns are file and area; neither holds a comma.
const truth = readFileSync(truthFile, 'utf8').trim().split('\n').slice(1).map((line) => line.split(',')[1]);
const answers = JSON.parse(readFileSync(answersFile, 'utf8'));
if (answers.length !== truth.length || truth.length === 0) {
  throw new Error(`${answers.length} answers to ${truth.length} photos`);
}
const right = answers.map((answer, index) => answer.areas?.[0].area === truth[index]);
const mean = (values) => values.reduce((sum, value) => sum + Number(value), 0) / values.length;
const recalls = [...new Set(truth)].map((area) => mean(right.filter((_, index) => truth[index] === area)));
const top1 = mean(right);
console.log(`${truth.length} photos of towns that the model was not trained on: ` +
  `top-1 ${top1.toFixed(3)}, macro recall ${mean(recalls).toFixed(3)}`);
if (!(top1 >= Number(least))) {
  console.error(`top-1 is below ${least}`);
  process.exit(1);
}
