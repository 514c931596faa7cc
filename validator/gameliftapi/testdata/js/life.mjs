// What a backend does, whatever SDK it does it with, and every exception that it
// may get. The game server accepts players whose ids begin with "accept" and ends
// those whose ids begin with "leave".
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

// call(operation, input) resolves to the output, or rejects with an error whose
// exception is name(error).
export async function life(call, name) {
  const fleet = { FleetId: "fleet-local" };
  const asked = {
    ...fleet,
    MaximumPlayerSessionCount: 4,
    Name: "Matt's game",
    GameProperties: [{ Key: "map", Value: "dunes" }],
    GameSessionData: "seed=4711",
    CreatorId: "matt",
    IdempotencyToken: "round-" + process.pid,
  };
  const refused = async (exception, operation, input) => {
    await assert.rejects(call(operation, input), (error) => {
      assert.equal(name(error), exception, `${operation}: ${error}`);
      assert.ok(error.message.length > 10, error.message);
      return true;
    });
  };

  // A game session.
  const { GameSession: game } = await call("CreateGameSession", asked);
  const GameSessionId = game.GameSessionId;
  assert.equal(GameSessionId, "arn:aws:gamelift:local::gamesession/fleet-local/" + asked.IdempotencyToken);
  assert.equal(game.Status, "ACTIVE");
  assert.equal(game.CurrentPlayerSessionCount, 0);
  assert.deepEqual(game.GameProperties, asked.GameProperties);
  assert.ok(game.CreationTime instanceof Date && Math.abs(Date.now() - game.CreationTime) < 600_000, game.CreationTime);
  assert.deepEqual((await call("CreateGameSession", asked)).GameSession, game);
  await refused("IdempotentParameterMismatchException", "CreateGameSession", { ...asked, Name: "another" });
  await refused("NotFoundException", "CreateGameSession", { ...asked, FleetId: "fleet-other" });
  await refused("InvalidRequestException", "CreateGameSession", { ...asked, MaximumPlayerSessionCount: -1 });
  const named = { ...fleet, MaximumPlayerSessionCount: 1, GameSessionId: "named-" + process.pid };
  await call("CreateGameSession", named);
  await refused("ConflictException", "CreateGameSession", named);

  assert.deepEqual((await call("DescribeGameSessions", { GameSessionId })).GameSessions, [game]);
  const details = await call("DescribeGameSessionDetails", { GameSessionId });
  assert.deepEqual(details.GameSessionDetails, [{ GameSession: game, ProtectionPolicy: "NoProtection" }]);
  const search = { ...fleet, FilterExpression: "gameSessionName = 'Matt\\'s game' AND hasAvailablePlayerSessions=true" };
  assert.deepEqual((await call("SearchGameSessions", search)).GameSessions, [game]);
  await refused("InvalidRequestException", "SearchGameSessions", { ...fleet, FilterExpression: "color = 1" });

  // Its players.
  const player = { GameSessionId, PlayerId: "accept and leave", PlayerData: '{"team":"röd 🎲"}' };
  const { PlayerSession: ann } = await call("CreatePlayerSession", player);
  assert.match(ann.PlayerSessionId, /^psess-[0-9a-f-]{36}$/);
  assert.equal(ann.PlayerData, player.PlayerData);
  assert.equal(ann.FleetId, "fleet-local");
  const described = async (id) => (await call("DescribePlayerSessions", { PlayerSessionId: id })).PlayerSessions[0];
  const becomes = async (id, status) => {
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(10)) {
      const now = await described(id);
      if (now.Status === status) return now;
    }
    assert.fail("not " + status);
  };
  const active = await becomes(ann.PlayerSessionId, "ACTIVE");
  assert.deepEqual(active, { ...ann, Status: "ACTIVE" });

  const party = { GameSessionId, PlayerIds: ["bob", "leave"], PlayerDataMap: { bob: "blue" } };
  const { PlayerSessions } = await call("CreatePlayerSessions", party);
  assert.deepEqual(PlayerSessions.map((p) => [p.PlayerId, p.PlayerData]), [["bob", "blue"], ["leave", undefined]]);
  await refused("GameSessionFullException", "CreatePlayerSessions", { GameSessionId, PlayerIds: ["cid", "dan"] });
  await refused("InvalidRequestException", "CreatePlayerSessions", { GameSessionId, PlayerIds: Array(26).fill("x") });
  await refused("InvalidRequestException", "CreatePlayerSession", { GameSessionId, PlayerId: "bob", PlayerData: "red" });
  await refused("NotFoundException", "CreatePlayerSession", { GameSessionId: "nowhere", PlayerId: "bob" });
  await refused("NotFoundException", "DescribePlayerSessions", { PlayerSessionId: "psess-unknown" });

  const ids = [];
  for (let NextToken, n = 0; n === 0 || NextToken; n++) {
    const page = await call("DescribePlayerSessions", { GameSessionId, Limit: 2, NextToken });
    ids.push(...page.PlayerSessions.map((p) => p.PlayerId));
    ({ NextToken } = page);
  }
  assert.deepEqual(ids, ["accept and leave", "bob", "leave"]);

  // Nobody comes for bob: his seat is free again.
  const late = await becomes(PlayerSessions[0].PlayerSessionId, "TIMEDOUT");
  assert.ok(late.TerminationTime > late.CreationTime);

  // No newcomers.
  const closed = await call("UpdateGameSession", { GameSessionId, PlayerSessionCreationPolicy: "DENY_ALL", Name: "closed" });
  assert.equal(closed.GameSession.PlayerSessionCreationPolicy, "DENY_ALL");
  assert.equal(closed.GameSession.Name, "closed");
  await refused("InvalidGameSessionStatusException", "CreatePlayerSession", { GameSessionId, PlayerId: "eve" });
  await refused("NotFoundException", "UpdateGameSession", { GameSessionId: "nowhere" });
  return { GameSessionId, refused };
}
