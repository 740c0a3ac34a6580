using Weft.Registry.Names;

namespace Weft.Registry.Manifests;

/// <summary>Finds what nothing names any more. Called while no manifest is added or deleted.</summary>
internal static class Collector
{
    /// <summary>Every manifest of every repository, and every blob that one of them names.</summary>
    internal static async Task<HashSet<Digest>> ReachableAsync(ImageRegistry registry, CancellationToken cancellationToken)
    {
        var reachable = new HashSet<Digest>();
        foreach (var repository in registry.Repositories.All())
        {
            foreach (var digest in registry.Repositories.ManifestsOf(repository))
            {
                reachable.Add(digest);
                if (await registry.ReadManifestAsync(repository, digest, cancellationToken) is { } manifest)
                    reachable.UnionWith(manifest.Blobs);
            }
        }

        return reachable;
    }

    /// <summary>
    /// Removes manifests that no tag leads to, neither straight nor through an index, nor as what a kept image is the subject of, and that nobody pushed
    /// or asked for since <paramref name="before"/>.
    /// </summary>
    internal static async Task<int> RemoveUntaggedAsync(ImageRegistry registry, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var removed = 0;
        foreach (var repository in registry.Repositories.All())
        {
            var manifests = new Dictionary<Digest, Manifest?>();
            foreach (var digest in registry.Repositories.ManifestsOf(repository))
                manifests[digest] = await registry.ReadManifestAsync(repository, digest, cancellationToken);

            var roots = registry.Repositories.TagsOf(repository).Select(tag => registry.Repositories.ReadTag(repository, tag)).OfType<Digest>()
                .Concat(manifests.Keys.Where(digest => registry.Repositories.LastUse(repository, digest) >= before));
            var kept = Closure(roots, manifests);
            removed += manifests.Keys.Where(digest => !kept.Contains(digest)).Count(digest => registry.Repositories.RemoveManifest(repository, digest));
        }

        return removed;
    }

    private static HashSet<Digest> Closure(IEnumerable<Digest> roots, Dictionary<Digest, Manifest?> manifests)
    {
        var bySubject = manifests.Where(pair => pair.Value?.Subject is not null).ToLookup(pair => pair.Value!.Subject!, pair => pair.Key);
        var kept = new HashSet<Digest>();
        var open = new Stack<Digest>(roots);
        while (open.TryPop(out var digest))
        {
            if (!kept.Add(digest))
                continue;
            foreach (var child in manifests.GetValueOrDefault(digest)?.Manifests ?? [])
                open.Push(child);
            foreach (var about in bySubject[digest])
                open.Push(about);
        }

        return kept;
    }
}
