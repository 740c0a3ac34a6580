using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Authorization;

/// <summary>Runs <see cref="AggregationPlanner"/> whenever a cluster role changes. It writes to the store itself: what it adds up was checked when it was written.</summary>
public sealed partial class AggregationLoop(IStore store, TimeProvider time, ILogger<AggregationLoop> logger)
{
    private const string Prefix = "/registry/" + Rbac.Group + "/" + Rbac.ClusterRoles + "/";

    public Task RunAsync(CancellationToken cancellationToken) =>
        StoreFollower.RunAsync(FollowAsync, reason => Log.Relisting(logger, reason), time, cancellationToken);

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(Prefix, cancellationToken: cancellationToken);
        var entries = page.Entries.ToDictionary(e => e.Key);
        await using var watch = store.Watch(Prefix, page.Revision);
        await ApplyAsync(entries, cancellationToken);
        await foreach (var batch in watch.ReadAsync(cancellationToken))
        {
            foreach (var change in batch.Changes)
            {
                if (change.Current is { } entry)
                    entries[change.Key] = entry;
                else
                    entries.Remove(change.Key);
            }

            if (batch.Changes.Count > 0)
                await ApplyAsync(entries, cancellationToken);
        }
    }

    // An own write comes back by the watch and starts the next round; a lost race does too, so a conflict needs no retry here.
    private async Task ApplyAsync(Dictionary<string, Entry> entries, CancellationToken cancellationToken)
    {
        foreach (var step in AggregationPlanner.Plan([.. entries.Values.Select(Tree)]))
        {
            var entry = entries[Prefix + Metadata.Name(step.ClusterRole)];
            step.ClusterRole["rules"] = step.Rules;
            var value = Envelope.Write(step.ClusterRole, "v1", Envelope.Read(entry.Value).SchemaEpoch);
            await store.CommitAsync(new[] { Op.Put(entry.Key, value, Expect.At(entry.ModRevision)) }, cancellationToken);
        }
    }

    private static JsonObject Tree(Entry entry) => Envelope.Read(entry.Value).Parse(entry.ModRevision);

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Reading cluster roles again: {Reason}")]
        internal static partial void Relisting(ILogger logger, string reason);
    }
}
