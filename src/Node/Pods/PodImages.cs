using System.Collections.Concurrent;
using Weft.Api.Core;
using Weft.Node.Agent;
using Weft.Node.Images;
using Weft.Node.Runtime;
using Weft.Node.Volumes;

namespace Weft.Node.Pods;

/// <summary>
/// The images of one pod's containers. Pulls run beside the pod's loop, so that its other containers are looked after meanwhile; the end of one
/// wakes the loop, which then asks again.
/// </summary>
/// <param name="changed">Called after the end of a pull: who asks in it, or later, is given the outcome.</param>
internal sealed class PodImages(ImagePuller puller, ObjectWatches<Secret> secretsOf, EventRecorder events, TimeProvider time, Action changed) : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, Pull> _pulls = new();                // by container name
    private readonly ConcurrentDictionary<string, ImageInfo> _used = new();             // by container id
    private readonly CancellationTokenSource _stop = new();

    private sealed record Pull(string? Image, Task<PullOutcome> Outcome);

    public IReadOnlySet<string> Pulling => _pulls.Where(p => !p.Value.Outcome.IsCompleted).Select(p => p.Key).ToHashSet();

    public IReadOnlyDictionary<string, ImageInfo> Used => _used.ToDictionary();

    public void Use(string containerId, ImageInfo image) => _used[containerId] = image;

    /// <summary>The container asks for another image now.</summary>
    public void Abandon(string container) => _pulls.TryRemove(container, out _);

    public void Forget(string containerId) => _used.TryRemove(containerId, out _);

    /// <summary>Null: it is being fetched.</summary>
    public async Task<PullOutcome?> EnsureAsync(Pod pod, Container container, CancellationToken cancellationToken)
    {
        // A pod may be given another image meanwhile: what was fetched before is then not what it asks for.
        if (_pulls.TryGetValue(container.Name, out var pull) && pull.Image == container.Image)
        {
            if (!pull.Outcome.IsCompleted)
                return null;
            _pulls.TryRemove(container.Name, out _);
            return await pull.Outcome;
        }

        if (await puller.LookAsync(pod, container, Tell, cancellationToken) is { } known)
            return known;
        var outcome = PullAsync(pod, container);
        _pulls[container.Name] = new(container.Image, outcome);
        // Told once the task has ended, never from within it: a loop that is woken before would find the pull still on its way, and nothing would wake it again.
        _ = outcome.ContinueWith(static (_, tell) => ((Action)tell!)(), changed, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return null;

        void Tell(bool warning, string reason, string message) => TellOf(pod, container, warning, reason, message);
    }

    private async Task<PullOutcome> PullAsync(Pod pod, Container container)
    {
        await Task.Yield();
        try
        {
            var names = pod.Spec.ImagePullSecrets.Select(s => s.Name).OfType<string>().Where(n => n.Length > 0).ToHashSet();
            var secrets = await secretsOf.GetAsync(pod.Metadata.Namespace!, names, _stop.Token);
            var missing = names.Where(n => secrets.GetValueOrDefault(n) is null).ToList();
            if (missing.Count > 0)
                events.Warning(pod, "FailedToRetrieveImagePullSecret", $"Unable to retrieve some image pull secrets ({string.Join(", ", missing.Order())}); attempting to pull the image may not succeed.");
            return await puller.PullAsync(
                pod, container, secrets.Values.OfType<Secret>(), (warning, reason, message) => TellOf(pod, container, warning, reason, message), _stop.Token);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or Client.ApiStatusException)
        {
            return new PullOutcome.Refused("ErrImagePull", e.Message, time.GetUtcNow() + TimeSpan.FromSeconds(1));
        }
    }

    private void TellOf(Pod pod, Container container, bool warning, string reason, string message)
    {
        if (warning)
            events.Warning(pod, reason, message, container.Name);
        else
            events.Normal(pod, reason, message, container.Name);
    }

    /// <summary>What the containers that an earlier run of the agent made were made from, where the API does not know it.</summary>
    public async Task RecallAsync(Pod pod, ContainerInfo container, CancellationToken cancellationToken)
    {
        if (_used.ContainsKey(container.Id) || PodShape.Find(pod, container.Name) is not { } spec || ImageName.Parse(spec.Image) is not { } name)
            return;
        var known = pod.Status.ContainerStatuses.Concat(pod.Status.InitContainerStatuses).Concat(pod.Status.EphemeralContainerStatuses);
        if (known.Any(s => s.ContainerID == container.Id && s.ImageID.Length > 0))
            return;
        if (await puller.FindAsync(name.Full, cancellationToken) is { } image)
            _used[container.Id] = image;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var pull in _pulls.Values)
            await pull.Outcome.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _pulls.Clear();
    }
}
