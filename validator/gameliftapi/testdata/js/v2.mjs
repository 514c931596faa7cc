// aws-sdk 2.x, which has no TerminateGameSession yet.
import assert from "node:assert/strict";
import AWS from "aws-sdk";
import { life } from "./life.mjs";

const client = (secretAccessKey) =>
  new AWS.GameLift({
    endpoint: process.env.ENDPOINT,
    region: "local",
    maxRetries: 0,
    accessKeyId: process.env.KEY_ID,
    secretAccessKey,
  });
const caller = (client) => async (operation, input) => {
  const { $response, ...output } = await client[operation[0].toLowerCase() + operation.slice(1)](input).promise();
  return output;
};
const name = (error) => error.code;

const { GameSessionId, refused } = await life(caller(client(process.env.SECRET)), name);
await refused("UnknownOperationException", "ListFleets", {});

const stranger = caller(client("wrong"));
await assert.rejects(stranger("DescribeGameSessions", { GameSessionId }), { code: "UnauthorizedException" });
