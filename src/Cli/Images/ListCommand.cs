using Weft.Registry.Names;

namespace Weft.Cli.Images;

/// <summary>`weft image list`: what the cluster's registry has.</summary>
internal sealed class ListCommand(RegistryClient registry, TextWriter output)
{
    internal async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var rows = new List<string[]> { new[] { "IMAGE", "TAG", "DIGEST", "SIZE" } };
        foreach (var name in await registry.RepositoriesAsync(cancellationToken))
        {
            if (RepositoryName.TryParse(name) is not { } repository)
                continue;
            foreach (var tag in await registry.TagsAsync(repository, cancellationToken))
            {
                if (await registry.GetManifestAsync(repository, tag, cancellationToken) is var (digest, manifest))
                    rows.Add([repository.Familiar, tag, digest.Hex[..12], Sizes.Show(await BytesAsync(repository, manifest, cancellationToken))]);
            }
        }

        var widths = Enumerable.Range(0, 3).Select(column => rows.Max(row => row[column].Length) + 3).ToList();
        foreach (var row in rows)
            await output.WriteLineAsync(row[0].PadRight(widths[0]) + row[1].PadRight(widths[1]) + row[2].PadRight(widths[2]) + row[3]);
        return 0;
    }

    // Of an index: all platforms that are here.
    private async Task<long> BytesAsync(RepositoryName repository, Registry.Manifests.Manifest manifest, CancellationToken cancellationToken)
    {
        var bytes = manifest.BlobBytes;
        foreach (var child in manifest.Manifests)
        {
            if (await registry.GetManifestAsync(repository, child.ToString(), cancellationToken) is var (_, image))
                bytes += image.BlobBytes;
        }

        return bytes;
    }
}
