using System.Text.Json;
using Weft.Control.Discovery.Model;

namespace Weft.Control.Discovery.Registry;

/// <summary>
/// From what was kept to the state after a start. A status holds as long as it would have held had the registry lived on: until one period of its check
/// after the registry last said that it runs. What is older is critical until it is heard of again.
/// </summary>
internal static class Loader
{
    public static (RegistryState State, RegistryMeta Meta) Load(IReadOnlyList<KeptRecord> records, DateTimeOffset now)
    {
        var meta = records.FirstOrDefault(record => record.Key == Records.Meta) is { } kept ? Read(kept, RecordJson.Default.RegistryMeta) : new(1, DateTimeOffset.MinValue);
        var draft = new RegistryDraft(RegistryState.Empty with { Index = meta.Reserved }, now);
        var statuses = records.Where(record => record.Key.StartsWith("status/", StringComparison.Ordinal)).ToDictionary(record => record.Key, record => Read(record, RecordJson.Default.KeptStatus), StringComparer.Ordinal);
        foreach (var record in records)
        {
            switch (record.Key.Split('/', 2)[0])
            {
                case "node":
                    draft.Restore(Read(record, RecordJson.Default.NodeRecord));
                    break;
                case "instance":
                    draft.Restore(Read(record, RecordJson.Default.Instance));
                    break;
                case "kv":
                    draft.Restore(Read(record, RecordJson.Default.KeyValue));
                    break;
                case "session":
                    draft.Restore(Read(record, RecordJson.Default.Session));
                    break;
            }
        }

        foreach (var record in records.Where(record => record.Key.StartsWith("check/", StringComparison.Ordinal)))
        {
            var check = Read(record, RecordJson.Default.Check);
            draft.Restore(WithStatus(check, statuses.GetValueOrDefault(Records.Status(check.Key)), meta.AliveAt, now));
        }

        // Everybody who waits asks again, and nobody has seen an index as high.
        var index = meta.Reserved;
        return (draft.State with { Index = index, NodesIndex = index, NamesIndex = index, ChecksIndex = index, ValuesIndex = index, DeletedIndex = index, ExtinctIndex = index, SessionsIndex = index }, meta);
    }

    private static Check WithStatus(Check check, KeptStatus? kept, DateTimeOffset aliveAt, DateTimeOffset now)
    {
        if (kept is null)
            return check with { CriticalSince = now };
        // What somebody else makes has no period: it is what was said last.
        var holds = check.Definition is not { } definition || kept.Status == CheckStatus.Critical || now < aliveAt + definition.Holds;
        return holds
            ? check with { Status = kept.Status, Output = kept.Output, CriticalSince = kept.Status == CheckStatus.Critical ? kept.CriticalSince ?? now : null }
            : check with { CriticalSince = now, Output = "not heard of since before the registry was started" };
    }

    private static T Read<T>(KeptRecord record, System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(record.Value.Span, type) ?? throw new InvalidDataException($"the registry's record {record.Key} is null");
        }
        catch (JsonException bad)
        {
            throw new InvalidDataException($"the registry's record {record.Key} cannot be read: {bad.Message}", bad);
        }
    }
}
