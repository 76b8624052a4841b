// A volunteer's journey with the types that openapi-typescript makes and the client openapi-fetch; checked strictly,
// then run as a program. Needs the address of a service and a client of the city in the environment, and prints what
// is left at the end.
import { randomUUID } from "node:crypto";
import { env, exit, stderr, stdout } from "node:process";
import createClient, { type Client } from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
type Role = Schemas["ClientNew"]["role"];
type Bank = Client<paths>;

function failed(what: string): never {
  stderr.write(`${what}\n`);
  exit(1);
}

/** The answer, if it is the one that was hoped for. */
function given<Answer>(answer: { data?: Answer; error?: unknown }): NonNullable<Answer> {
  return answer.data ?? failed(`refused: ${JSON.stringify(answer.error)}`);
}

/** A header with a new Idempotency-Key. */
function keyed(): { "Idempotency-Key": string } {
  return { "Idempotency-Key": randomUUID() };
}

const baseUrl = env["BASE"] ?? failed("BASE is not set");
const anyone: Bank = createClient<paths>({ baseUrl });

/** A client that calls with a new token. */
async function login(client_id: string, client_secret: string): Promise<Bank> {
  const token = given(
    await anyone.POST("/oauth2/token", {
      body: { grant_type: "client_credentials", client_id, client_secret },
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
    }),
  );
  return createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token.access_token}` } });
}

/** A client of the community with this role. */
async function clientOf(city: Bank, community_id: string, role: Role): Promise<Bank> {
  const created = given(
    await city.POST("/v1/communities/{community_id}/clients", {
      params: { path: { community_id }, header: keyed() },
      body: { name: role, role },
    }),
  );
  // A repeated request is answered without the secret.
  return login(created.client_id, created.client_secret ?? failed("the secret is not shown"));
}

const city = await login(env["CLIENT_ID"] ?? failed("no client"), env["CLIENT_SECRET"] ?? failed("no secret"));
const { id: community_id } = given(
  await city.POST("/v1/communities", {
    params: { header: keyed() },
    body: { code: "qilianlu-west", name: "祁连路西社区", district: "城北区", subdistrict: "朝阳街道" },
  }),
);
const manager = await clientOf(city, community_id, "manager");
const desk = await clientOf(city, community_id, "front_desk");
const verifier = await clientOf(city, community_id, "verifier");

/** The parameters of a keyed POST below the community. */
function below() {
  return { path: { community_id }, header: keyed() };
}

given(
  await manager.POST("/v1/communities/{community_id}/service-kinds", {
    params: below(),
    body: { code: "home_visit", name: "入户探访" },
  }),
);
given(
  await manager.POST("/v1/communities/{community_id}/earning-rules", {
    params: below(),
    body: { service_kind: "home_visit", points_per_hour: 10, effective_from: "2025-01-01" },
  }),
);
const { id: goods_id } = given(
  await manager.POST("/v1/communities/{community_id}/goods", {
    params: below(),
    body: { name: "毛巾", points_price: 8 },
  }),
);
given(
  await manager.POST("/v1/communities/{community_id}/goods/{goods_id}/stock-movements", {
    params: { path: { community_id, goods_id }, header: keyed() },
    body: { kind: "received", quantity: 10, note: "到货" },
  }),
);

const { id: volunteer_id } = given(
  await desk.POST("/v1/communities/{community_id}/volunteers", {
    params: below(),
    body: {
      name: "李佳儒",
      phone: "13800005678",
      consent: { version: "2024-09", given_at: "2025-01-01T09:00:00+08:00" },
    },
  }),
);
const record = given(
  await desk.POST("/v1/communities/{community_id}/service-records", {
    params: below(),
    body: {
      volunteer_id,
      service_kind: "home_visit",
      activity_name: "入户探访",
      place: "祁连家园",
      content: "量血压、陪老人聊天",
      organiser: "祁连路西社区居委会",
      started_at: "2025-11-22T09:30:00+08:00",
      ended_at: "2025-11-22T11:00:00+08:00",
      minutes: 90,
    },
  }),
);
const verified = given(
  await verifier.POST("/v1/communities/{community_id}/service-records/{service_record_id}/verification", {
    params: { path: { community_id, service_record_id: record.id }, header: keyed() },
    body: { decision: "approve" },
  }),
);

/** Try to reserve so many towels. */
function reserve(quantity: number) {
  return desk.POST("/v1/communities/{community_id}/redemptions", {
    params: below(),
    body: { volunteer_id, lines: [{ goods_id, quantity }] },
  });
}

const reserved = given(await reserve(1));
const collected = given(
  await desk.POST("/v1/communities/{community_id}/redemptions/{redemption_id}/collection", {
    params: { path: { community_id, redemption_id: reserved.id }, header: keyed() },
    body: { pickup_code: reserved.pickup_code ?? failed("the desk is not shown the pickup code") },
  }),
);

const problem: Schemas["Problem"] = (await reserve(5)).error ?? failed("more was reserved than there are points");
const explained = given(
  await anyone.GET("/problems/{code}", {
    params: { path: { code: problem.code }, header: { "accept-language": "zh-CN" } },
  }),
);

const path = { community_id, volunteer_id };
const balance = given(await desk.GET("/v1/communities/{community_id}/volunteers/{volunteer_id}/balance", { params: { path } }));
const statement = given(
  await desk.GET("/v1/communities/{community_id}/volunteers/{volunteer_id}/statement", { params: { path } }),
);

stdout.write(
  JSON.stringify({
    award: verified.award?.points,
    redemption: collected.status,
    problem: { code: problem.code, status: problem.status, needed: problem["needed"] },
    explained: explained.title,
    points: balance.points,
    minutes: balance.minutes,
    lines: statement.items.map((line) => [line.unit, line.amount, line.balance_after]),
  }),
);
