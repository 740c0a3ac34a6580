using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>`/v1/kv/...`: values by key, with compare-and-set and locks.</summary>
internal sealed class ValueHandler(ServiceRegistry registry, BlockingQueries queries)
{
    // What a record's name takes.
    private const int MaxKey = 1024;

    public async Task<bool> TryHandleAsync(ConsulCall call)
    {
        var key = call.Path[1];
        call.NeedAll(); // values may be secrets
        NeedKey(key);
        switch (call.Method)
        {
            case "GET" or "HEAD":
                await GetAsync(call, key);
                return true;
            case "PUT":
                await PutAsync(call, key);
                return true;
            case "DELETE":
                await DeleteAsync(call, key);
                return true;
            default:
                call.Context.Response.Headers.Allow = "GET,PUT,DELETE";
                throw new RegistryException(405, $"method {call.Method} not allowed");
        }
    }

    /// <exception cref="RegistryException">400.</exception>
    public static void NeedKey(string key)
    {
        if (key.Length > MaxKey || key.Contains('\0') || key.Any(char.IsSurrogate))
            throw new RegistryException(400, $"Invalid key: up to {MaxKey} characters, without NUL");
    }

    private async Task GetAsync(ConsulCall call, string key)
    {
        if (call.Has("keys") || call.Has("recurse"))
        {
            var state = await queries.StateAsync(call, Topics.Values, state => IndexBelow(state, key));
            var keys = state.KeysBelow(key).ToList();
            if (keys.Count == 0)
                await call.TextAsync("", 404);
            else if (call.Has("keys"))
                await call.AnswerAsync(ConsulJson.List(Cut(keys, key, call.Query("separator"))));
            else
                await call.AnswerAsync(new JsonArray([.. keys.Select(one => (JsonNode)ConsulJson.Value(state.Values[one]))]));
            return;
        }

        if (key.Length == 0)
            throw new RegistryException(400, "Missing key name");
        var now = await queries.StateAsync(call, Topics.Value(key), state => state.IndexOfValue(key));
        if (!now.Values.TryGetValue(key, out var value))
        {
            await call.TextAsync("", 404);
            return;
        }

        if (!call.Has("raw"))
        {
            await call.AnswerAsync(new JsonArray(ConsulJson.Value(value)));
            return;
        }

        call.Context.Response.ContentType = "text/plain; charset=utf-8";
        call.Context.Response.Headers["X-Content-Type-Options"] = "nosniff";
        call.Context.Response.Headers.ContentSecurityPolicy = "sandbox";
        call.Context.Response.ContentLength = value.Value.Length;
        if (call.Method == "GET")
            await call.Context.Response.Body.WriteAsync(value.Value, call.Ended);
    }

    private static long IndexBelow(RegistryState state, string prefix)
    {
        if (prefix.Length == 0)
            return state.ValuesIndex;
        var index = state.DeletedIndex;
        foreach (var key in state.KeysBelow(prefix))
            index = Math.Max(index, state.Values[key].ModifyIndex);
        return index;
    }

    private static IEnumerable<string> Cut(List<string> keys, string prefix, string separator)
    {
        var last = "";
        foreach (var key in keys)
        {
            var end = separator.Length == 0 ? -1 : key.IndexOf(separator, prefix.Length, StringComparison.Ordinal);
            var cut = end < 0 ? key : key[..(end + separator.Length)];
            if (cut != last || last.Length == 0)
                yield return last = cut;
        }
    }

    private async Task PutAsync(ConsulCall call, string key)
    {
        if (key.Length == 0)
            throw new RegistryException(400, "Missing key name");
        var (acquire, release) = (call.Query("acquire"), call.Query("release"));
        var ways = (call.Has("cas") ? 1 : 0) + (acquire.Length > 0 ? 1 : 0) + (release.Length > 0 ? 1 : 0);
        if (ways > 1)
            throw new RegistryException(400, "Conflicting flags: only one of cas, acquire and release");
        var compare = call.Has("cas") ? Number(call, "cas") : (long?)null;
        var flags = call.Query("flags") is { Length: > 0 } text ? ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : throw new RegistryException(400, "Invalid flags") : 0;
        var body = await call.BodyAsync(registry.Options.MaxValueBytes);
        var done = await registry.ChangeAsync(
            draft =>
            {
                var old = draft.State.Values.GetValueOrDefault(key);
                if (old is null && draft.State.Values.Count >= registry.Options.MaxValues)
                    throw new RegistryException(429, $"the registry holds {registry.Options.MaxValues} values, which is its limit");
                if (compare is { } index && (index == 0 ? old is not null : old?.ModifyIndex != index))
                    return false;
                if (acquire.Length > 0)
                    return Acquire(draft, old, key, acquire, body, flags);
                if (release.Length > 0 && (old?.Session != release))
                    return false;
                if (release.Length == 0 && old is not null && old.Flags == flags && old.Value.AsSpan().SequenceEqual(body))
                    return true; // as it was: nobody is to be woken
                draft.PutValue(new() { Key = key, Value = body, Flags = flags, Session = release.Length > 0 ? null : old?.Session, LockIndex = old?.LockIndex ?? 0 });
                return true;
            }, call.Ended);
        await call.AnswerAsync(JsonValue.Create(done));
    }

    private static bool Acquire(RegistryDraft draft, KeyValue? old, string key, string session, byte[] body, ulong flags)
    {
        if (!draft.State.Sessions.ContainsKey(session))
            throw new RegistryException(500, $"invalid session \"{session}\"");
        if (old?.Session is { } holder && holder != session)
            return false;
        if (old?.Session is null && draft.State.LockDelays.TryGetValue(key, out var until) && draft.Now < until)
            return false;
        draft.PutValue(new() { Key = key, Value = body, Flags = flags, Session = session, LockIndex = (old?.LockIndex ?? 0) + (old?.Session == session ? 0 : 1) });
        return true;
    }

    private async Task DeleteAsync(ConsulCall call, string key)
    {
        var all = call.Has("recurse");
        if (key.Length == 0 && !all)
            throw new RegistryException(400, "Missing key name");
        if (all && call.Has("cas"))
            throw new RegistryException(400, "Conflicting flags: cas is for one key");
        var compare = call.Has("cas") ? Number(call, "cas") : (long?)null;
        if (compare == 0)
            throw new RegistryException(400, "Invalid cas: a key that is to be deleted has an index");
        if (all)
        {
            // In parts, as transactions have a size. Whoever reads meanwhile sees some of them gone.
            while (await registry.ChangeAsync(draft => draft.State.KeysBelow(key).Take(MaxDeletes).ToList().Count(draft.RemoveValue), call.Ended) == MaxDeletes)
            {
            }

            await call.AnswerAsync(JsonValue.Create(true));
            return;
        }

        var done = await registry.ChangeAsync(
            draft =>
            {
                if (compare is { } index && draft.State.Values.TryGetValue(key, out var old) && old.ModifyIndex != index)
                    return false;
                draft.RemoveValue(key);
                return true;
            }, call.Ended);
        await call.AnswerAsync(JsonValue.Create(done));
    }

    private const int MaxDeletes = 128;

    private static long Number(ConsulCall call, string name) => long.TryParse(call.Query(name), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new RegistryException(400, $"Invalid {name}");
}
