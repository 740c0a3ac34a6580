using System.Globalization;
using Weft.Api.Core;
using Weft.Node.Runtime;

namespace Weft.Node.Images;

/// <summary>How it stands with the image of a container.</summary>
internal abstract record PullOutcome
{
    private PullOutcome() { }

    public sealed record Here(ImageInfo Image) : PullOutcome;

    /// <param name="Reason">As a container's waiting state shows it.</param>
    /// <param name="RetryAt">When there is a point in asking again.</param>
    public sealed record Refused(string Reason, string Message, DateTimeOffset RetryAt) : PullOutcome;
}

/// <summary>
/// Brings images to this node: by the container's policy, one pull of an image at a time, a few images at once, with the kubelet's back-off,
/// reasons and events.
/// </summary>
internal sealed class ImagePuller(IImages images, ImageUse use, TimeProvider time) : IDisposable
{
    // More at once only share the link; containerd fetches three layers of each side by side.
    private const int Parallel = 5;

    // A refusal that no waiting cures is looked at again this often: somebody may load the image by hand.
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(10);

    // The kubelet looks at a failed pull again at its next sync, and only then says that it waits.
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _slots = new(Parallel);
    private readonly Turns _turns = new();
    private readonly PullBackoff _backoff = new();

    /// <summary>
    /// What needs no registry: the image is here and its policy is content with that, or it will never be. Null: <see cref="PullAsync"/> is to be asked.
    /// </summary>
    public async Task<PullOutcome?> LookAsync(Pod pod, Container container, Tell tell, CancellationToken cancellationToken)
    {
        var text = container.Image ?? "";
        var now = time.GetUtcNow();
        if (ImageName.Parse(text) is not { } name)
        {
            var message = $"Failed to apply default image tag \"{text}\": couldn't parse image name \"{text}\": invalid reference format";
            tell(true, "InspectFailed", message);
            return new PullOutcome.Refused("InvalidImageName", message, DateTimeOffset.MaxValue);
        }

        var policy = Policy(container, name);
        if (policy != "Always" && await images.FindAsync(name.Full, cancellationToken) is { } here)
        {
            use.Used(here.Id, now);
            _backoff.Succeeded(Key(pod, container));
            tell(false, "Pulled", $"Container image \"{text}\" already present on machine");
            return new PullOutcome.Here(here);
        }
        if (policy == "Never")
        {
            var message = $"Container image \"{text}\" is not present with pull policy of Never";
            tell(true, "ErrImageNeverPull", message);
            return new PullOutcome.Refused("ErrImageNeverPull", message, now + LookAgain);
        }
        if (_backoff.Until(Key(pod, container), now) is { } until)
        {
            var message = $"Back-off pulling image \"{text}\"";
            tell(false, "BackOff", message);
            return new PullOutcome.Refused("ImagePullBackOff", message, until);
        }
        return null;
    }

    /// <summary>Fetches it, which may take minutes.</summary>
    /// <param name="secrets">Those that the pod names, as far as they exist.</param>
    public async Task<PullOutcome> PullAsync(Pod pod, Container container, IEnumerable<Secret> secrets, Tell tell, CancellationToken cancellationToken)
    {
        var text = container.Image!;
        var name = ImageName.Parse(text)!;
        var from = time.GetTimestamp();
        using var turn = await _turns.TakeAsync(name.Full, cancellationToken);
        try
        {
            // Whoever waited for the same image may find it here now.
            if (Policy(container, name) == "IfNotPresent" && await images.FindAsync(name.Full, cancellationToken) is { } here)
                return Arrived(here, $"Container image \"{text}\" already present on machine");

            await _slots.WaitAsync(cancellationToken);
            try
            {
                tell(false, "Pulling", $"Pulling image \"{text}\"");
                var began = time.GetTimestamp();
                var image = await images.PullAsync(name.Full, PullSecrets.For(name, secrets), cancellationToken);
                return Arrived(image, $"Successfully pulled image \"{text}\" in {Span(time.GetElapsedTime(began))} ({Span(time.GetElapsedTime(from))} including waiting). Image size: {image.Bytes} bytes.");
            }
            finally
            {
                _slots.Release();
            }
        }
        catch (RuntimeException e)
        {
            var now = time.GetUtcNow();
            _backoff.Failed(Key(pod, container), now);
            tell(true, "Failed", $"Failed to pull image \"{text}\": {e.Message}");
            return new PullOutcome.Refused("ErrImagePull", e.Message, now + Soon);
        }

        PullOutcome.Here Arrived(ImageInfo image, string message)
        {
            use.Used(image.Id, time.GetUtcNow());
            _backoff.Succeeded(Key(pod, container));
            tell(false, "Pulled", message);
            return new(image);
        }
    }

    public Task<ImageInfo?> FindAsync(string id, CancellationToken cancellationToken) => images.FindAsync(id, cancellationToken);

    private static string Policy(Container container, ImageName name) => container.ImagePullPolicy is { Length: > 0 } given ? given : name.DefaultPullPolicy;

    private static string Key(Pod pod, Container container) => $"{pod.Metadata.Uid}_{container.Image}";

    private static string Span(TimeSpan span) =>
        span.TotalSeconds < 1 ? $"{span.TotalMilliseconds:0}ms" : span.TotalMinutes < 1 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.###}s") : $"{(int)span.TotalMinutes}m{span.Seconds}s";

    public void Dispose() => _slots.Dispose();
}

/// <summary>Tells an event about a container's image.</summary>
internal delegate void Tell(bool warning, string reason, string message);
