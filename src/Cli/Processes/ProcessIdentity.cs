using System.Globalization;

namespace Weft.Cli.Processes;

/// <summary>A process that cannot be mistaken for a later one with the same id.</summary>
/// <param name="StartTicks">Field 22 of /proc/PID/stat (proc(5)): clock ticks after boot.</param>
public sealed record ProcessIdentity(int Pid, long StartTicks)
{
    public static ProcessIdentity Current => Of(Environment.ProcessId) ?? new(Environment.ProcessId, 0);

    public bool IsAlive => Of(Pid) is { } now && now.StartTicks == StartTicks;

    /// <summary>Null when there is no such process, or it is a zombie.</summary>
    public static ProcessIdentity? Of(int pid)
    {
        string stat;
        try
        {
            stat = File.ReadAllText($"/proc/{pid}/stat");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        // The command in parentheses may itself contain blanks and parentheses: count from the last one.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return fields[0] is "Z" or "X" ? null : new(pid, long.Parse(fields[19], CultureInfo.InvariantCulture));
    }

    /// <summary>Asks the process to end (SIGTERM), then after the grace ends it (SIGKILL). True when it is gone.</summary>
    public async Task<bool> StopAsync(TimeSpan grace, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!IsAlive)
            return true;
        Signals.Send(Pid, Signals.Terminate);
        if (await WaitGoneAsync(grace, time, cancellationToken))
            return true;
        Signals.Send(Pid, Signals.Kill);
        return await WaitGoneAsync(TimeSpan.FromSeconds(5), time, cancellationToken);
    }

    private async Task<bool> WaitGoneAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (IsAlive)
        {
            if (time.GetElapsedTime(start) > limit)
                return false;
            await Task.Delay(TimeSpan.FromMilliseconds(5), time, cancellationToken);
        }

        return true;
    }
}
