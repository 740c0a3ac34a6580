using System.Globalization;
using Weft.Cli.Images.Archives;
using Weft.Cli.Objects;
using Weft.Registry.Names;

namespace Weft.Cli.Images;

/// <summary>`weft image load`: from a file into the cluster's registry, from where every node pulls.</summary>
/// <param name="onTerminal">Somebody looks on: long layers tell how far they are.</param>
internal sealed class LoadCommand(RegistryClient registry, Func<Stream> input, TextWriter output, bool onTerminal, TimeProvider time)
{
    /// <param name="name">Instead of the names in the file.</param>
    internal async Task<int> RunAsync(IReadOnlyList<string> files, string? name, CancellationToken cancellationToken)
    {
        ImageReference? given = null;
        if (name is not null && (given = ImageReference.TryParse(name)) is null)
            throw new CommandException($"'{name}' is no name of an image: for example my-app:1.0 or quay.io/team/app:1.0");
        foreach (var file in files)
        {
            try
            {
                using var archive = await ImageFiles.OpenAsync(file, input, cancellationToken);
                var plans = OciLayout.Read(archive) ?? DockerArchive.Read(archive)
                    ?? throw new ArchiveException("it holds no image: neither an index.json (OCI) nor a manifest.json (docker save)");
                await LoadAsync(archive, plans, file, given, cancellationToken);
            }
            catch (ArchiveException bad)
            {
                throw new CommandException($"{file}: {bad.Message}");
            }
        }

        return 0;
    }

    private async Task LoadAsync(ImageFiles archive, IReadOnlyList<ImagePlan> plans, string file, ImageReference? given, CancellationToken cancellationToken)
    {
        if (given is not null && plans.Count > 1)
            throw new ArchiveException($"it holds {plans.Count} images, and --as names one");
        // All are checked before the first is pushed.
        if (given is null && plans.Any(plan => plan.Names.Count == 0))
            throw new ArchiveException($"it does not say what the image is called: weft image load {file} --as NAME[:TAG]");
        foreach (var plan in plans)
        {
            foreach (var image in given is not null ? [given] : plan.Names)
            {
                await PushAsync(archive, plan, image, cancellationToken);
                await output.WriteLineAsync($"loaded {image.Repository.Familiar}{(Digest.TryParse(image.Reference) is null ? ":" : "@")}{image.Reference}");
            }
        }
    }

    private async Task PushAsync(ImageFiles archive, ImagePlan plan, ImageReference image, CancellationToken cancellationToken)
    {
        foreach (var blob in plan.Blobs)
        {
            if (await registry.HasBlobAsync(image.Repository, blob.Digest, cancellationToken))
                continue;
            await using var content = archive.Open(blob.File) ?? throw new ArchiveException($"{blob.File} has gone meanwhile");
            await using var told = new ToldStream(content, onTerminal ? Tell(blob) : null, time);
            await registry.PushBlobAsync(image.Repository, blob.Digest, told, cancellationToken);
        }

        for (var i = 0; i < plan.Manifests.Count; i++)
        {
            var manifest = plan.Manifests[i];
            await registry.PushManifestAsync(
                image.Repository, i == plan.Manifests.Count - 1 ? image.Reference : manifest.Digest.ToString(), manifest.MediaType, manifest.Content, cancellationToken);
        }
    }

    private Action<long> Tell(PlannedBlob blob) => done =>
    {
        output.Write(string.Create(CultureInfo.InvariantCulture, $"\r  {blob.Digest.Hex[..12]}  {Sizes.Show(done)} of {Sizes.Show(blob.Length)}   "));
        if (done == blob.Length)
            output.Write("\r\e[K");
    };

    /// <summary>Passes a stream on and says, not too often, how far it is.</summary>
    private sealed class ToldStream(Stream inner, Action<long>? tell, TimeProvider time) : ReadOnlyStream
    {
        private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(200);

        private long _last = time.GetTimestamp();
        private bool _told;

        public override bool CanSeek => true; // so that the length is sent before the content

        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => inner.Position = value;
        }

        public override int Read(Span<byte> buffer)
        {
            var read = inner.Read(buffer);
            if (tell is not null && (time.GetElapsedTime(_last) > Often || (_told && read == 0)))
            {
                (_last, _told) = (time.GetTimestamp(), true);
                tell(inner.Position);
            }

            return read;
        }
    }
}

internal static class Sizes
{
    internal static string Show(long bytes) => bytes switch
    {
        >= 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):0.0} GiB"),
        >= 1L << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):0.0} MiB"),
        >= 1L << 10 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 10):0.0} KiB"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{bytes} B"),
    };
}
