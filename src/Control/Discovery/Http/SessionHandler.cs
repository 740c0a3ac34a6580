using System.Text.Json.Nodes;
using Weft.Control.Discovery.Checks;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>`/v1/session/...`: who may hold locks.</summary>
internal sealed class SessionHandler(ServiceRegistry registry, BlockingQueries queries, CheckLoop checks, Random random)
{
    // Consul's limits.
    private static readonly TimeSpan LeastTtl = TimeSpan.FromSeconds(10), LongestTtl = TimeSpan.FromDays(1), UsualDelay = TimeSpan.FromSeconds(15), LongestDelay = TimeSpan.FromSeconds(60);

    public async Task<bool> TryHandleAsync(ConsulCall call)
    {
        switch (call.Path[1..])
        {
            case ["create"]:
                call.Need("PUT");
                call.NeedAll();
                var session = Read(await call.JsonBodyAsync());
                await registry.ChangeAsync(draft => { Check(draft.State, session); draft.PutSession(session); return 0; }, call.Ended);
                await call.AnswerAsync(new JsonObject { ["ID"] = session.Id });
                return true;
            case ["destroy", var id]:
                call.Need("PUT");
                call.NeedAll();
                await registry.ChangeAsync(draft => draft.RemoveSession(id), call.Ended);
                await call.AnswerAsync(JsonValue.Create(true));
                return true;
            case ["renew", var id]:
                call.Need("PUT");
                call.NeedAll();
                var known = registry.Current.Sessions.GetValueOrDefault(id) ?? throw new RegistryException(404, $"Session id '{id}' not found");
                checks.Renew(known);
                await call.AnswerAsync(new JsonArray(ConsulJson.Session(known)));
                return true;
            case ["info", var id]:
                return await ListAsync(call, session => session.Id == id);
            case ["node", var node]:
                return await ListAsync(call, session => session.Node == node);
            case ["list"]:
                return await ListAsync(call, _ => true);
            default:
                return false;
        }
    }

    private async Task<bool> ListAsync(ConsulCall call, Func<Session, bool> isWanted)
    {
        call.Need("GET");
        call.NeedAll(); // who knows a session can release its locks
        var state = await queries.StateAsync(call, Topics.Sessions, state => state.SessionsIndex);
        await call.AnswerAsync(new JsonArray([.. state.Sessions.Values.Where(isWanted).OrderBy(session => session.CreateIndex).Select(session => (JsonNode)ConsulJson.Session(session))]));
        return true;
    }

    private Session Read(BodyReader body)
    {
        var ttl = body.Duration("TTL");
        if (ttl is { } given && given != TimeSpan.Zero && (given < LeastTtl || given > LongestTtl))
            throw new RegistryException(400, $"Invalid Session TTL '{GoDuration.Format(given)}', must be between [10s=24h0m0s]");
        // As Consul: a number below a thousand or so is seconds, a larger one nanoseconds; the text has its unit.
        var delay = body.Duration("LockDelay") ?? UsualDelay;
        if (delay < TimeSpan.Zero || delay > LongestDelay)
            throw new RegistryException(400, $"Invalid LockDelay: at most {GoDuration.Format(LongestDelay)}");
        var behavior = body.Text("Behavior");
        if (behavior is not ("" or "release" or "delete"))
            throw new RegistryException(400, $"Invalid Behavior setting '{behavior}': release or delete");
        var node = body.Text("Node");
        return new()
        {
            Id = NewId(), Name = body.Text("Name") is { Length: > 0 } name ? Definitions.Text(name, "Name") : "", Node = node.Length > 0 ? node : registry.Options.NodeName,
            Checks = [.. body.Texts("NodeChecks").Concat(body.Texts("Checks")).Concat(body.List("ServiceChecks").Select(check => check.Text("ID"))).Where(id => id is not ("serfHealth" or "")).Distinct(StringComparer.Ordinal)],
            Ttl = ttl == TimeSpan.Zero ? null : ttl, LockDelay = delay, DeletesKeys = behavior == "delete",
        };
    }

    private void Check(RegistryState state, Session session)
    {
        if (state.Sessions.Count >= registry.Options.MaxSessions)
            throw new RegistryException(429, $"the registry holds {registry.Options.MaxSessions} sessions, which is its limit");
        if (!state.Nodes.ContainsKey(session.Node))
            throw new RegistryException(500, "Missing node registration");
        foreach (var id in session.Checks)
        {
            var check = state.FindCheck(new(session.Node, id)) ?? throw new RegistryException(500, $"Missing check '{id}' registration");
            if (check.Status == CheckStatus.Critical)
                throw new RegistryException(500, $"Check '{id}' is in critical state");
        }
    }

    // Not a secret: a lock is for clients that trust each other, and the session's list is for those with all rights.
    private string NewId()
    {
        var bytes = new byte[16];
        lock (random)
            random.NextBytes(bytes);
        return new Guid(bytes).ToString();
    }
}
