using System.Collections.Immutable;
using Weft.Api;
using Weft.Api.Selectors;
using Weft.Client;

namespace Weft.Control.Runtime;

/// <param name="Owned">Ours already, and still wanted.</param>
/// <param name="Adopt">Orphans that our selector matches.</param>
/// <param name="Release">Ours by reference, but our selector no longer matches: set free, never deleted.</param>
public sealed record Claim<T>(ImmutableArray<T> Owned, ImmutableArray<T> Adopt, ImmutableArray<T> Release)
{
    public bool IsSettled => Adopt.IsEmpty && Release.IsEmpty;
}

/// <summary>Who belongs to an owner: Kubernetes' rule of selector and controller reference.</summary>
public static class Ownership
{
    public static Claim<T> Decide<T>(IObject owner, LabelQuery selector, IEnumerable<T> candidates) where T : IObject
    {
        var owned = ImmutableArray.CreateBuilder<T>();
        var adopt = ImmutableArray.CreateBuilder<T>();
        var release = ImmutableArray.CreateBuilder<T>();
        foreach (var candidate in candidates)
        {
            var matches = selector.Matches(candidate.Metadata.Labels);
            if (candidate.Controller() is { } controller)
            {
                if (controller.Uid != owner.Metadata.Uid)
                    continue;
                // An owner that goes away keeps its references: they are the garbage collector's business.
                if (matches || owner.IsTerminating())
                    owned.Add(candidate);
                else
                    release.Add(candidate);
            }
            else if (matches && !owner.IsTerminating() && !candidate.IsTerminating())
            {
                adopt.Add(candidate);
            }
        }

        return new Claim<T>(owned.ToImmutable(), adopt.ToImmutable(), release.ToImmutable());
    }
}

/// <summary>The shell of <see cref="Ownership"/>, and the index that keeps it from looking at every object.</summary>
public sealed class OwnedObjects<T> where T : class, IObject
{
    private readonly CachedResource<T> _resource;
    private readonly CacheIndex<T> _index;

    public OwnedObjects(CachedResource<T> resource)
    {
        _resource = resource;
        _index = resource.Cache.AddIndex(static value => [value.Controller() is { } owner ? OwnerKey(owner.Uid) : OrphanKey(value.Metadata.Namespace)]);
    }

    /// <summary>By reference alone.</summary>
    public IReadOnlyList<T> ReferringTo(string ownerUid) => _index.Find(OwnerKey(ownerUid));

    public IReadOnlyList<T> Orphans(string? @namespace) => _index.Find(OrphanKey(@namespace));

    /// <summary>Adopts and releases, then returns what the owner has.</summary>
    /// <param name="ownerIsLive">Asks the server whether the owner still lives: a cache may lag behind its deletion, and what it then adopts would be lost.</param>
    public async Task<ImmutableArray<T>> ClaimAsync<TOwner>(
        TOwner owner, LabelQuery selector, Func<CancellationToken, Task<bool>> ownerIsLive, CancellationToken cancellationToken)
        where TOwner : IObject
    {
        var claim = Decide();
        if (claim.IsSettled)
            return claim.Owned;

        foreach (var lost in claim.Release)
            await _resource.PatchAsync(lost, Patches.RemoveOwner(lost, owner.Metadata.Uid ?? ""), cancellationToken);
        if (!claim.Adopt.IsEmpty && await ownerIsLive(cancellationToken))
        {
            foreach (var found in claim.Adopt)
                await _resource.PatchAsync(found, Patches.AddOwner(found, owner.AsController()), cancellationToken);
        }

        return Decide().Owned;

        Claim<T> Decide() => Ownership.Decide(owner, selector, [.. ReferringTo(owner.Metadata.Uid ?? ""), .. Orphans(owner.Metadata.Namespace)]);
    }

    private static string OwnerKey(string uid) => "owner/" + uid;

    private static string OrphanKey(string? @namespace) => "orphan/" + @namespace;
}
