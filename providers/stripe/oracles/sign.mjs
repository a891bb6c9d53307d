// Signs notifications, and checks signatures, with Stripe's own client: an oracle
// for the adapter's tests. Reads a JSON list of jobs and writes one of answers,
// as the Go program in sign/ does.
import Stripe from "stripe";

const stripe = new Stripe("sk_test_unused");
let input = "";
for await (const chunk of process.stdin.setEncoding("utf8")) input += chunk;

const answers = JSON.parse(input).map(({ body, secret, at, header }) => {
  if (!header) {
    return { header: stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: at }), valid: false };
  }
  try {
    stripe.webhooks.constructEvent(body, header, secret, Number.MAX_SAFE_INTEGER);
    return { header: "", valid: true };
  } catch {
    return { header: "", valid: false };
  }
});
process.stdout.write(JSON.stringify(answers) + "\n");
