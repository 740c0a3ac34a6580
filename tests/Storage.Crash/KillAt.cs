using System.Runtime.InteropServices;

namespace Weft.Storage.Crash;

/// <summary>SIGKILL to itself at the n-th hit of a fail point: no handler, no flush, no finaliser runs.</summary>
internal sealed partial class KillAt(string point, int hits) : IFailPoints
{
    private const int SigKill = 9;
    private int _left = hits;

    public void Hit(FailPoint reached)
    {
        if (string.Equals(reached.ToString(), point, StringComparison.OrdinalIgnoreCase) && Interlocked.Decrement(ref _left) == 0)
            _ = Kill(Environment.ProcessId, SigKill);
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int pid, int signal);
}
