using System.Runtime.InteropServices;

namespace Weft.Cli.Processes;

public static partial class Signals
{
    public const int Terminate = 15;
    public const int Kill = 9;

    /// <summary>False when there is no such process.</summary>
    public static bool Send(int pid, int signal) => KillProcess(pid, signal) == 0;

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int KillProcess(int pid, int signal);
}
