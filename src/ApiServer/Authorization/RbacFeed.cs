using Microsoft.Extensions.Logging;
using Weft.ApiServer.Registry;
using Weft.Storage;

namespace Weft.ApiServer.Authorization;

/// <summary>
/// Keeps the snapshot of roles and bindings in step with the store, by a watch. A right that was granted counts at once: before a request is refused,
/// <see cref="LatestAsync"/> looks whether the store has moved on. One that was taken away counts when the watch delivers it, within milliseconds.
/// </summary>
public sealed partial class RbacFeed(IStore store, ILogger<RbacFeed> logger)
{
    private const string Prefix = "/registry/" + Rbac.Group + "/";

    private RbacSnapshot _snapshot = RbacSnapshot.Empty;
    private long _verified;

    internal RbacSnapshot Current => Volatile.Read(ref _snapshot);

    /// <summary>Reads everything. Called once before the server answers.</summary>
    public async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(Prefix, cancellationToken: cancellationToken);
        Publish(Index(page.Entries).Snapshot(page.Revision));
    }

    /// <summary>Follows the store until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) =>
        StoreFollower.RunAsync(FollowAsync, reason => Log.Relisting(logger, reason), cancellationToken);

    /// <summary>A snapshot that shows every write which was acknowledged before the call.</summary>
    internal async ValueTask<RbacSnapshot> LatestAsync(CancellationToken cancellationToken)
    {
        var now = store.Revision;
        var current = Current;
        if (current.Revision >= now || Volatile.Read(ref _verified) >= now)
            return current;

        var page = await store.ListAsync(Prefix, cancellationToken: cancellationToken);
        // A removed right is no reason to hurry: only a newer object could turn the refusal round.
        if (page.Entries.Count > 0 && page.Entries.Max(e => e.ModRevision) > current.Revision)
            return Index(page.Entries).Snapshot(page.Revision);
        Volatile.Write(ref _verified, page.Revision);
        return current;
    }

    private async Task FollowAsync(CancellationToken cancellationToken)
    {
        var page = await store.ListAsync(Prefix, cancellationToken: cancellationToken);
        var index = Index(page.Entries);
        Publish(index.Snapshot(page.Revision));

        await using var watch = store.Watch(Prefix, page.Revision);
        await foreach (var batch in watch.ReadAsync(cancellationToken))
        {
            foreach (var change in batch.Changes)
                index.Apply(change.Key, change.Current);
            if (batch.Changes.Count > 0)
                Publish(index.Snapshot(batch.Revision));
        }
    }

    private void Publish(RbacSnapshot next) => Volatile.Write(ref _snapshot, next);

    private static RbacIndex Index(IReadOnlyList<Entry> entries)
    {
        var index = new RbacIndex();
        foreach (var entry in entries)
            index.Apply(entry.Key, entry);
        return index;
    }

    /// <summary>The facts by store key; owned by one loop.</summary>
    private sealed class RbacIndex
    {
        private readonly Dictionary<string, RoleFacts> _clusterRoles = [];
        private readonly Dictionary<string, RoleFacts> _roles = [];
        private readonly Dictionary<string, BindingFacts> _clusterBindings = [];
        private readonly Dictionary<string, BindingFacts> _bindings = [];

        internal RbacSnapshot Snapshot(long revision) => new(_clusterRoles.Values, _roles.Values, _clusterBindings.Values, _bindings.Values, revision);

        internal void Apply(string key, Entry? entry)
        {
            var rest = key.AsSpan(Prefix.Length);
            var slash = rest.IndexOf('/');
            switch (slash < 0 ? "" : rest[..slash].ToString())
            {
                case Rbac.ClusterRoles: Set(_clusterRoles, key, entry, RoleFacts.Read); break;
                case Rbac.Roles: Set(_roles, key, entry, RoleFacts.Read); break;
                case Rbac.ClusterRoleBindings: Set(_clusterBindings, key, entry, BindingFacts.Read); break;
                case Rbac.RoleBindings: Set(_bindings, key, entry, BindingFacts.Read); break;
            }
        }

        private static void Set<T>(Dictionary<string, T> facts, string key, Entry? entry, Func<System.Text.Json.Nodes.JsonObject, T> read)
        {
            if (entry is null)
                facts.Remove(key);
            else
                facts[key] = read(Envelope.Read(entry.Value).Parse(entry.ModRevision));
        }
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Warning, Message = "Reading roles and bindings again: {Reason}")]
        internal static partial void Relisting(ILogger logger, string reason);
    }
}
