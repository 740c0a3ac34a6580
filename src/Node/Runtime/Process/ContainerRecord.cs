namespace Weft.Node.Runtime.Process;

/// <summary>What stands in a container's `container.json`: enough to adopt it, to exec in it and to remove it.</summary>
internal sealed record StoredContainer
{
    public required string Id { get; init; }
    public required string SandboxId { get; init; }
    public required string PodUid { get; init; }
    public required ContainerSpec Spec { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public DateTimeOffset? StartedAt { get; init; }
    public DateTimeOffset? FinishedAt { get; init; }
    public int ExitCode { get; init; }
    public string? Reason { get; init; }
    public string? Message { get; init; }
}

/// <summary>A container of this run of the agent. Its stored part changes under its lock only.</summary>
internal sealed class ContainerRecord(StoredContainer stored, string directory, int pid)
{
    private readonly Lock _gate = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private StoredContainer _stored = stored;

    public string Id => _stored.Id;
    public string Directory => directory;

    /// <summary>The first process, as the host numbers it; 0 when it is not known.</summary>
    public int Pid { get; set; } = pid;
    public StoredContainer Stored => Volatile.Read(ref _stored);
    public Task Ended => _ended.Task;

    public void Update(Func<StoredContainer, StoredContainer> change)
    {
        lock (_gate)
        {
            var next = change(_stored);
            StateFile.Write(Path.Combine(directory, "container.json"), next);
            Volatile.Write(ref _stored, next);
            if (next.FinishedAt is not null)
                _ended.TrySetResult();
        }
    }

    public void AlreadyEnded() => _ended.TrySetResult();

    public ContainerInfo Info()
    {
        var stored = Stored;
        return new()
        {
            Id = stored.Id,
            SandboxId = stored.SandboxId,
            PodUid = stored.PodUid,
            Name = stored.Spec.Name,
            Attempt = stored.Spec.Attempt,
            SpecHash = stored.Spec.SpecHash,
            LogPath = stored.Spec.LogPath,
            State = stored.FinishedAt is not null ? RunState.Exited : stored.StartedAt is not null ? RunState.Running : RunState.Created,
            CreatedAt = stored.CreatedAt,
            StartedAt = stored.StartedAt,
            FinishedAt = stored.FinishedAt,
            ExitCode = stored.ExitCode,
            Reason = stored.Reason,
            Message = stored.Message,
            TerminationMessageFile = stored.Spec.TerminationMessageFile,
        };
    }
}
