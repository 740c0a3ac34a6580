using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Node.Interop;

namespace Weft.Node.Runtime.Process;

/// <summary>How the end of a container is noticed, in this run of the agent or a later one.</summary>
internal sealed partial class ProcessRuntime
{
    private async Task AdoptAsync()
    {
        _sandboxes.Load();
        var (running, ended) = (0, 0);
        foreach (var directory in Directory.EnumerateDirectories(_paths.Containers))
        {
            var stored = StateFile.Read<StoredContainer>(Path.Combine(directory, "container.json"));
            if (stored is null || stored.Id != Path.GetFileName(directory))
            {
                await _programs.CrunOutputAsync("delete", "--force", Path.GetFileName(directory));
                Directory.Delete(directory, recursive: true);
                continue;
            }

            var record = new ContainerRecord(stored, directory, ReadPid(Path.Combine(directory, "pid")));
            var conmon = ReadPid(Path.Combine(directory, "conmon.pid"));
            if (stored.FinishedAt is null && stored.StartedAt is null && await HasStartedAsync(stored.Id, conmon))
                record.Update(c => c with { StartedAt = c.CreatedAt });   // killed between the start and the note of it

            if (stored.FinishedAt is null && record.Stored.StartedAt is null)
            {
                // Made but never started: it is made anew.
                await DiscardAsync(record);
                continue;
            }

            _containers[stored.Id] = record;
            if (stored.FinishedAt is not null)
            {
                record.AlreadyEnded();
                ended++;
                continue;
            }

            running++;
            _ = WatchAsync(record, conmon);
        }

        if (running + ended > 0)
            Log.Adopted(_logger, running, ended);
    }

    // An exit code is one of a container that ran: it must not run again, even when its start was never noted.
    private async Task<bool> HasStartedAsync(string id, int conmon)
    {
        if (File.Exists(Path.Combine(_paths.Exits, id)))
            return true;
        if (!ProcessMachine.IsConmonOf(conmon, id))
            return File.Exists(Path.Combine(_paths.Exits, id));   // conmon may have written it and ended since the first look
        var (exit, output) = await _programs.CrunOutputAsync("state", id);
        try
        {
            return exit == 0 && (string?)JsonNode.Parse(output)?["status"] is "running" or "stopped";   // stopped: conmon is about to write the exit file
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // conmon writes the exit file and then ends, so its end is the event.
    private async Task WatchAsync(ContainerRecord record, int conmon)
    {
        try
        {
            var pidfd = conmon > 0 ? Libc.PidfdOpen(conmon) : -1;
            if (pidfd >= 0)
            {
                try
                {
                    if (ProcessMachine.IsConmonOf(conmon, record.Id))
                        await _loop.WaitReadableAsync(pidfd, CancellationToken.None);
                }
                finally
                {
                    _ = Libc.close(pidfd);
                }
            }
            NoteEnd(record);
        }
        catch (ObjectDisposedException)
        {
            return;   // the agent stops; the container does not
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.WatchFailed(_logger, record.Id, e);
        }
        _events.Add(record.Stored.PodUid);
    }

    private void NoteEnd(ContainerRecord record)
    {
        var exitFile = Path.Combine(_paths.Exits, record.Id);
        if (!Directory.Exists(record.Directory) || record.Stored.FinishedAt is not null)
        {
            record.AlreadyEnded();
            return;
        }

        if (File.Exists(exitFile) && int.TryParse(File.ReadAllText(exitFile), out var code))
        {
            var oom = File.Exists(Path.Combine(record.Directory, "oom"));
            record.Update(c => c with
            {
                FinishedAt = new DateTimeOffset(File.GetLastWriteTimeUtc(exitFile), TimeSpan.Zero),
                ExitCode = code,
                Reason = code == 0 ? "Completed" : oom ? "OOMKilled" : "Error",
            });
            return;
        }

        // conmon was killed: nobody holds the container's output any more, and nobody will know its exit code.
        ProcessMachine.Signal(record, Libc.SigKill);
        record.Update(c => c with
        {
            FinishedAt = _time.GetUtcNow(),
            ExitCode = 137,
            Reason = "ContainerStatusUnknown",
            Message = "The monitor of the container (conmon) was killed, so the container was ended.",
        });
    }
}
