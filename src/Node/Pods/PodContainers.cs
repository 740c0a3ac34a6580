using System.Collections.Concurrent;
using System.Text;
using Weft.Api.Core;
using Weft.Api.Streams;
using Weft.Node.Images;
using Weft.Node.Logs;
using Weft.Node.Probes;
using Weft.Node.Runtime;

namespace Weft.Node.Pods;

/// <summary>The containers of one pod: what is seen of them, their monitors, their starts and stops.</summary>
internal sealed class PodContainers(PodServices services, string uid, Action changed) : IAsyncDisposable
{
    // The kubelet's figures: 4 KiB of a message file; of a log 2 KiB or 80 lines.
    private const int MaxMessage = 4096, MaxLogMessage = 2048, MaxLogLines = 80;

    // A stop signal gets at least this much, whatever a preStop hook has used up.
    private static readonly TimeSpan LeastGrace = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, ContainerMonitor> _monitors = new();
    private readonly ConcurrentDictionary<string, StartFailure> _failures = new();
    private readonly ConcurrentDictionary<string, int> _crashes = new();
    private readonly ConcurrentDictionary<string, string?> _messages = new();   // by id of an ended container
    private readonly HashSet<string> _seenEnded = [];
    private readonly PodImages _images = new(services.Puller, services.Secrets, services.Events, services.Time, changed);
    private readonly ConcurrentDictionary<string, bool> _changed = new();       // by container name: its image is another than what runs
    private bool _first = true;

    public async Task<PodObservation> ObserveAsync(Pod pod, StartFailure? setup, bool volumesReady, IReadOnlySet<string> stopping, CancellationToken cancellationToken)
    {
        var all = await services.Runtime.ListAsync(cancellationToken);
        var sandbox = all.Sandboxes.Where(s => s.Spec.PodUid == uid).OrderByDescending(s => s.Ready).ThenByDescending(s => s.CreatedAt).FirstOrDefault();
        var containers = new List<ContainerInfo>();
        foreach (var container in all.Containers.Where(c => c.PodUid == uid))
        {
            if (_first && services.OfImages)
                await _images.RecallAsync(pod, container, cancellationToken);
            if (container.State == RunState.Exited)
            {
                if (_monitors.TryRemove(container.Id, out var monitor))
                    await monitor.DisposeAsync();
                if (_seenEnded.Add(container.Id))
                {
                    NoteEnd(container);
                    _changed.TryRemove(container.Name, out _);
                }
                containers.Add(container with { Message = container.Message ?? await MessageAsync(pod, container, cancellationToken) });
            }
            else
            {
                if (container.State == RunState.Running && !_monitors.ContainsKey(container.Id) && PodShape.Find(pod, container.Name) is { } spec)
                    Monitor(pod, spec, container, sandbox, isNew: false);
                containers.Add(container);
            }
        }
        _first = false;
        var stale = containers.Where(c => c.State == RunState.Running && _changed.ContainsKey(c.Name)).Select(c => c.Id).ToHashSet();

        return new PodObservation
        {
            Sandbox = sandbox,
            VolumesReady = volumesReady,
            Containers = containers,
            Stopping = stopping,
            Health = _monitors.ToDictionary(m => m.Key, m => stale.Contains(m.Key) ? m.Value.Health with { Failure = "its definition changed" } : m.Value.Health),
            Failures = _failures.ToDictionary(),
            Crashes = _crashes.ToDictionary(),
            Setup = setup,
            Pulling = _images.Pulling,
            Images = _images.Used,
        };
    }

    private void NoteEnd(ContainerInfo container)
    {
        // What an earlier run of the agent saw is in the number of attempts.
        var before = _first ? container.Attempt : _crashes.GetValueOrDefault(container.Name);
        var count = RestartRules.Count(before, container);
        if (!_first || count > _crashes.GetValueOrDefault(container.Name))
            _crashes[container.Name] = count;
    }

    public async Task StartAsync(Pod pod, PodStep.Start step, PodObservation seen, IReadOnlyDictionary<string, string> volumes, CancellationToken cancellationToken)
    {
        var container = PodShape.Find(pod, step.Container)!;
        var sandbox = seen.Sandbox!;
        if (step.Attempt > 0 && seen.Latest(step.Container) is { } previous && _crashes.GetValueOrDefault(step.Container) > 1)
            services.Events.Warning(pod, "BackOff", $"Back-off restarting failed container {step.Container} in pod {pod.Metadata.Name}_{pod.Metadata.Namespace}({uid}) (last exit code {previous.ExitCode})", step.Container);
        try
        {
            ImageInfo? image = null;
            if (services.OfImages)
            {
                switch (await _images.EnsureAsync(pod, container, cancellationToken))
                {
                    case null:
                        return;
                    case PullOutcome.Refused refused:
                        Failed(pod, step.Container, refused.Reason, refused.Message, refused.RetryAt);
                        return;
                    case PullOutcome.Here here:
                        image = here.Image;
                        break;
                }
            }
            var spec = await SpecAsync(pod, container, image, step.Attempt, seen, volumes, cancellationToken);
            var created = await services.Runtime.CreateContainerAsync(sandbox.Id, spec, cancellationToken);
            if (image is not null)
                _images.Use(created.Id, image);
            _failures.TryRemove(step.Container, out _);
            _changed.TryRemove(step.Container, out _);
            services.Events.Normal(pod, "Created", $"Created container {step.Container}", step.Container);
            var started = await services.Runtime.StartContainerAsync(created.Id, cancellationToken);
            services.Events.Normal(pod, "Started", $"Started container {step.Container}", step.Container);
            Monitor(pod, container, started, sandbox, isNew: true);
        }
        catch (ContainerConfigException e)
        {
            Failed(pod, step.Container, "CreateContainerConfigError", e.Message);
        }
        catch (RuntimeException e) when (e.Error is RuntimeError.Create or RuntimeError.Start)
        {
            // The runtime keeps it as an ended container, so restart rules apply.
            services.Events.Warning(pod, "Failed", $"Error: {e.Message}", step.Container);
            if (seen.Latest(step.Container)?.Attempt != step.Attempt && !(await services.Runtime.ListAsync(cancellationToken)).Containers.Any(c => c.PodUid == uid && c.Name == step.Container && c.Attempt == step.Attempt))
                Failed(pod, step.Container, "CreateContainerError", e.Message);
        }
        catch (Exception e) when (e is RuntimeException or IOException or UnauthorizedAccessException or Volumes.VolumeException)
        {
            Failed(pod, step.Container, "CreateContainerError", e.Message);
        }
    }

    /// <summary>What was missing may be there now: no waiting.</summary>
    public void ForgetFailures() => _failures.Clear();

    /// <summary>The one field of a running pod's container that may change: what waited for the old image tries at once, what runs is replaced.</summary>
    public void ImageChanged(string container)
    {
        _images.Abandon(container);
        _failures.TryRemove(container, out _);
        _changed[container] = true;
    }

    private void Failed(Pod pod, string container, string reason, string message, DateTimeOffset? retryAt = null)
    {
        _failures.AddOrUpdate(
            container,
            _ => new StartFailure(reason, message, services.Time.GetUtcNow(), 1, retryAt),
            (_, old) => new StartFailure(reason, message, services.Time.GetUtcNow(), old.Count + 1, retryAt));
        // Of an image the cause is told by the pull itself.
        services.Events.Warning(pod, "Failed", $"Error: {(retryAt is null ? message : reason)}", container);
    }

    private async Task<ContainerSpec> SpecAsync(
        Pod pod, Container container, ImageInfo? image, int attempt, PodObservation seen, IReadOnlyDictionary<string, string> volumes, CancellationToken cancellationToken)
    {
        var sandbox = seen.Sandbox!;
        var (maps, secrets) = PodReferences.Of(pod);
        var ns = pod.Metadata.Namespace!;
        var objects = new ReferencedObjects(await services.ConfigMaps.GetAsync(ns, maps, cancellationToken), await services.Secrets.GetAsync(ns, secrets, cancellationToken));
        var hostNetwork = sandbox.Spec.HostNetwork;
        var spec = ContainerSpecFactory.Create(pod, container, attempt, new ContainerContext(
            services.Node, hostNetwork ? [services.Node.HostIp] : sandbox.Ips, objects, volumes, services.Directories,
            image is null ? new ProcessContainerPolicy(PasswdEntry.Parse(File.ReadLines("/etc/passwd"))) : new ImageContainerPolicy(image), services.Environment.OwnCapabilities, services.Environment.Variables(pod),
            (volume, sub) => services.Volumes.SubPath(uid, container.Name, volume, sub), TargetOf(pod, container, seen)));

        Directory.CreateDirectory(services.Directories.Container(uid, container.Name), Runtime.Process.ProcessMachine.OwnerOnly);
        var message = spec.TerminationMessageFile!;
        await File.WriteAllBytesAsync(message, [], cancellationToken);
        File.SetUnixFileMode(message, (UnixFileMode)0b110_110_110);   // whoever the container runs as writes it
        return spec;
    }

    // An ephemeral container may look at the processes of one that runs.
    private static string? TargetOf(Pod pod, Container container, PodObservation seen)
    {
        if (pod.Spec.EphemeralContainers.FirstOrDefault(e => e.Name == container.Name)?.TargetContainerName is not { Length: > 0 } target)
            return null;
        return seen.Latest(target) is { State: RunState.Running } running ? running.Id
            : throw new ContainerConfigException($"unable to find target container \"{target}\": it is not running");
    }

    private void Monitor(Pod pod, Container spec, ContainerInfo container, SandboxInfo? sandbox, bool isNew)
    {
        ContainerHealth? known = null;
        if (!isNew)
        {
            // Found running: what the API says of this very container still holds, so readiness does not flap with the agent.
            var status = pod.Status.ContainerStatuses.Concat(pod.Status.InitContainerStatuses).FirstOrDefault(s => s.ContainerID == container.Id);
            known = new ContainerHealth(status?.Started ?? spec.StartupProbe is null, status?.Ready ?? spec.ReadinessProbe is null, null);
        }
        var ip = sandbox is { Spec.HostNetwork: false, Ips.Count: > 0 } ? sandbox.Ips[0] : services.Node.HostIp;
        var monitor = new ContainerMonitor(
            new ProbeTarget(spec, container.Id, ip), known, services.Probes, services.Time, changed,
            (reason, message) => services.Events.Warning(pod, reason, message, spec.Name));
        if (!_monitors.TryAdd(container.Id, monitor))
            _ = monitor.DisposeAsync().AsTask();
    }

    /// <summary>preStop, then the stop signal, then after the grace SIGKILL.</summary>
    /// <param name="withdrawn">Ends when the pod gets no more requests, or was waited for long enough. The grace goes on meanwhile.</param>
    public async Task StopAsync(Pod pod, PodStep.Kill kill, TimeSpan grace, Task? withdrawn, CancellationToken cancellationToken)
    {
        services.Events.Normal(pod, "Killing", kill.Why.StartsWith("it ", StringComparison.Ordinal) || kill.Why.StartsWith("its ", StringComparison.Ordinal)
            ? $"Container {kill.Container}: {kill.Why}, will be restarted" : $"Stopping container {kill.Container}", kill.Container);
        var from = services.Time.GetTimestamp();
        if (withdrawn is not null)
            await withdrawn.WaitAsync(cancellationToken);
        var spec = PodShape.Find(pod, kill.Container);
        if (spec?.Lifecycle?.PreStop is { } hook && grace > TimeSpan.Zero && _monitors.ContainsKey(kill.ContainerId))
        {
            var forHook = grace - services.Time.GetElapsedTime(from);
            using var limit = new CancellationTokenSource(forHook > LeastGrace ? forHook : LeastGrace, services.Time);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
            var sandbox = (await services.Runtime.ListAsync(cancellationToken)).Sandboxes.FirstOrDefault(s => s.Spec.PodUid == uid);
            var ip = sandbox is { Spec.HostNetwork: false, Ips.Count: > 0 } ? sandbox.Ips[0] : services.Node.HostIp;
            try
            {
                var outcome = await services.Probes.RunHookAsync(hook, new ProbeTarget(spec, kill.ContainerId, ip), linked.Token);
                if (!outcome.Success)
                    services.Events.Warning(pod, "FailedPreStopHook", $"PreStopHook failed: {outcome.Message}", kill.Container);
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                services.Events.Warning(pod, "FailedPreStopHook", "PreStopHook did not end within the grace period", kill.Container);
            }
        }

        var left = grace - services.Time.GetElapsedTime(from);
        await services.Runtime.StopContainerAsync(kill.ContainerId, grace <= TimeSpan.Zero ? TimeSpan.Zero : left > LeastGrace || left >= grace ? left : LeastGrace, cancellationToken);
    }

    public async Task ForgetAsync(string id, CancellationToken cancellationToken)
    {
        var container = (await services.Runtime.ListAsync(cancellationToken)).Containers.FirstOrDefault(c => c.Id == id);
        await services.Runtime.RemoveContainerAsync(id, cancellationToken);
        _messages.TryRemove(id, out _);
        _images.Forget(id);
        if (container is null)
            return;
        foreach (var file in LogReader.Rotated(container.LogPath).Append(container.LogPath).Append(container.TerminationMessageFile ?? container.LogPath))
            File.Delete(file);
    }

    private async Task<string?> MessageAsync(Pod pod, ContainerInfo container, CancellationToken cancellationToken)
    {
        if (_messages.TryGetValue(container.Id, out var known))
            return known;
        var message = await ReadMessageAsync(pod, container, cancellationToken);
        _messages[container.Id] = message;
        return message;
    }

    private async Task<string?> ReadMessageAsync(Pod pod, ContainerInfo container, CancellationToken cancellationToken)
    {
        if (container.TerminationMessageFile is { } path && File.Exists(path))
        {
            var buffer = new byte[MaxMessage];
            await using var file = File.OpenRead(path);
            var n = await file.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
            if (n > 0)
                return Encoding.UTF8.GetString(buffer, 0, n);
        }

        if (container.ExitCode == 0 || PodShape.Find(pod, container.Name)?.TerminationMessagePolicy != "FallbackToLogsOnError")
            return null;
        using var log = new MemoryStream();
        await LogReader.CopyAsync(container.LogPath, new LogOptions { TailLines = MaxLogLines }, Task.CompletedTask, services.Time, log, cancellationToken);
        var bytes = log.ToArray();
        return bytes.Length == 0 ? null : Encoding.UTF8.GetString(bytes[Math.Max(bytes.Length - MaxLogMessage, 0)..]);
    }

    public async ValueTask DisposeAsync()
    {
        await _images.DisposeAsync();
        foreach (var id in _monitors.Keys)
        {
            if (_monitors.TryRemove(id, out var monitor))
                await monitor.DisposeAsync();
        }
    }
}
