using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Control.Discovery.Model;
using Weft.Control.Discovery.Registry;

namespace Weft.Control.Discovery.Http;

/// <summary>`/v1/txn`: changes of values that are made all together or not at all, each seeing those before it.</summary>
internal sealed class TransactionHandler(ServiceRegistry registry)
{
    // Consul's own.
    private const int MaxOperations = 128;

    // All changes wait for a transaction: an operation reads a tree at most once beyond this.
    private const int MaxResults = 1024;

    public async Task<bool> HandleAsync(ConsulCall call)
    {
        call.Need("PUT");
        call.NeedAll();
        // Consul's limit of a transaction is that of a value.
        var operations = BodyReader.ParseList(await call.BodyAsync(registry.Options.MaxValueBytes)).Select(Operation.Read).ToList();
        if (operations.Count > MaxOperations)
            throw new RegistryException(413, $"Transaction contains too many operations ({operations.Count} > {MaxOperations})");
        try
        {
            var results = await registry.ChangeAsync(draft => Run(draft, operations), call.Ended);
            await call.AnswerAsync(new JsonObject { ["Results"] = results, ["Errors"] = null });
        }
        catch (RefusedException refused)
        {
            await call.AnswerAsync(new JsonObject { ["Results"] = null, ["Errors"] = refused.Errors }, 409);
        }
        return true;
    }

    // Every operation that fails is told, as Consul does; then none has been made.
    private JsonArray Run(RegistryDraft draft, List<Operation> operations)
    {
        var (results, errors) = (new JsonArray(), new JsonArray());
        foreach (var (i, operation) in operations.Index())
        {
            if (results.Count > MaxResults)
                throw new RegistryException(413, $"the transaction reads more than {MaxResults} values; ask for fewer at once");
            if (Run(draft, operation, results) is { } why)
                errors.Add(new JsonObject { ["OpIndex"] = i, ["What"] = why });
        }
        return errors.Count == 0 ? results : throw new RefusedException(errors);
    }

    private string? Run(RegistryDraft draft, Operation operation, JsonArray results)
    {
        var old = draft.State.Values.GetValueOrDefault(operation.Key);
        switch (operation.Verb)
        {
            case "set":
                return Set(draft, operation, old, results);
            case "cas":
                return (operation.Index == 0 ? old is null : old?.ModifyIndex == operation.Index) ? Set(draft, operation, old, results) : Stale(operation, old);
            case "get" or "check-index" when old is null:
                return $"key \"{operation.Key}\" doesn't exist";
            case "get" or "get-or-empty":
                if (old is not null)
                    Add(results, old, hasValue: true);
                return null;
            case "get-tree":
                foreach (var key in draft.State.KeysBelow(operation.Key))
                    Add(results, draft.State.Values[key], hasValue: true);
                return null;
            case "check-index":
                if (old!.ModifyIndex != operation.Index)
                    return Stale(operation, old);
                Add(results, old, hasValue: false);
                return null;
            case "check-not-exists":
                return old is null ? null : $"key \"{operation.Key}\" exists";
            case "delete-cas" when old is not null && old.ModifyIndex != operation.Index:
                return Stale(operation, old);
            default: // delete, delete-cas
                draft.RemoveValue(operation.Key);
                return null;
        }
    }

    private string? Set(RegistryDraft draft, Operation operation, KeyValue? old, JsonArray results)
    {
        if (old is null && draft.State.Values.Count >= registry.Options.MaxValues)
            return $"the registry holds {registry.Options.MaxValues} values, which is its limit";
        // As it was: nobody is to be woken.
        if (old is null || old.Flags != operation.Flags || !old.Value.AsSpan().SequenceEqual(operation.Value))
            draft.PutValue(new() { Key = operation.Key, Value = operation.Value, Flags = operation.Flags, Session = old?.Session, LockIndex = old?.LockIndex ?? 0 });
        Add(results, draft.State.Values[operation.Key], hasValue: false);
        return null;
    }

    private static string Stale(Operation operation, KeyValue? old) => old is null
        ? $"key \"{operation.Key}\" doesn't exist"
        : string.Create(CultureInfo.InvariantCulture, $"key \"{operation.Key}\" is at index {old.ModifyIndex}, not {operation.Index}");

    private static void Add(JsonArray results, KeyValue value, bool hasValue)
    {
        var json = ConsulJson.Value(value);
        if (!hasValue)
            json["Value"] = null;
        results.Add(new JsonObject { ["KV"] = json });
    }

    private sealed class RefusedException(JsonArray errors) : Exception
    {
        public JsonArray Errors => errors;
    }

    private sealed record Operation(string Verb, string Key, byte[] Value, ulong Flags, long Index)
    {
        private static readonly string[] Verbs = ["set", "cas", "get", "get-or-empty", "get-tree", "check-index", "check-not-exists", "delete", "delete-cas"];

        public static Operation Read(BodyReader body)
        {
            if (body.Object("KV") is not { } kv)
                throw new RegistryException(400, "Invalid transaction: only operations of the kind KV are served; not Node, Service, Check and Session");
            var verb = kv.Text("Verb").ToLowerInvariant();
            if (!Verbs.Contains(verb))
                throw new RegistryException(400, $"Invalid transaction: KV.Verb '{verb}' is not served; {string.Join(", ", Verbs)}");
            var key = kv.Text("Key");
            if (key.Length == 0 && verb != "get-tree")
                throw new RegistryException(400, "Missing key name");
            ValueHandler.NeedKey(key);
            return new(verb, key, Bytes(kv.Text("Value")), Number<ulong>(kv.Text("Flags"), "Flags"), Number<long>(kv.Text("Index"), "Index"));
        }

        private static byte[] Bytes(string text)
        {
            try
            {
                return Convert.FromBase64String(text);
            }
            catch (FormatException)
            {
                throw new RegistryException(400, "Invalid transaction: KV.Value is no base64");
            }
        }

        private static T Number<T>(string text, string name) where T : struct, System.Numerics.IBinaryInteger<T> => text.Length == 0 ? default
            : T.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw new RegistryException(400, $"Invalid transaction: KV.{name} '{text}' is no whole number");
    }
}
