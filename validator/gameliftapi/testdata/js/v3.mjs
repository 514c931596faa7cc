// @aws-sdk/client-gamelift 3.x.
import assert from "node:assert/strict";
import * as gamelift from "@aws-sdk/client-gamelift";
import { life } from "./life.mjs";

const client = (secretAccessKey) =>
  new gamelift.GameLiftClient({
    endpoint: process.env.ENDPOINT,
    region: "local",
    maxAttempts: 1,
    credentials: { accessKeyId: process.env.KEY_ID, secretAccessKey },
  });
const caller = (client) => async (operation, input) => {
  const { $metadata, ...output } = await client.send(new gamelift[operation + "Command"](input));
  assert.equal($metadata.httpStatusCode, 200);
  assert.ok($metadata.requestId);
  return output;
};
const name = (error) => {
  // The SDK has made its own type of it.
  if (gamelift[error.name]) assert.ok(error instanceof gamelift[error.name]);
  return error.name;
};

const call = caller(client(process.env.SECRET));
const { GameSessionId, refused } = await life(call, name);

const over = await call("TerminateGameSession", { GameSessionId, TerminationMode: "FORCE_TERMINATE" });
assert.equal(over.GameSession.Status, "TERMINATED");
assert.equal(over.GameSession.StatusReason, "FORCE_TERMINATED");
await refused("InvalidGameSessionStatusException", "CreatePlayerSession", { GameSessionId, PlayerId: "eve" });
await refused("UnknownOperationException", "ListFleets", {});

const stranger = caller(client("wrong"));
await assert.rejects(stranger("DescribeGameSessions", { GameSessionId }), gamelift.UnauthorizedException);
