using System.Runtime.InteropServices;

namespace Weft.Cli.Processes;

/// <summary>
/// Whether somebody still reads what a command prints. .NET drops what is written to the console once a pipe's reader has gone (EPIPE), so a command that goes on until it is told to end,
/// as in `weft top | head`, would go on for ever.
/// </summary>
internal static partial class OutputReader
{
    /// <summary>What a shell shows for a program that was ended by SIGPIPE: 128 and the signal's number.</summary>
    public const int BrokenPipe = 141;

    private const int StandardOutput = 1;

    /// <summary>Runs a command with a token that is cancelled as well when nobody reads standard output any more.</summary>
    /// <param name="unread">The exit code then.</param>
    public static Task<int> WhileReadAsync(Func<CancellationToken, Task<int>> run, CancellationToken cancellationToken, int unread = 0) => WhileReadAsync(StandardOutput, run, cancellationToken, unread);

    /// <param name="descriptor">Of a pipe, a socket or a terminal; others never lose their reader.</param>
    public static async Task<int> WhileReadAsync(int descriptor, Func<CancellationToken, Task<int>> run, CancellationToken cancellationToken, int unread = 0)
    {
        using var read = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        // A thread, as poll has no other end than the reader's: the process does not wait for it.
        new Thread(() => EndWhenUnread(descriptor, read)) { IsBackground = true, Name = "output" }.Start();
        try
        {
            return await run(read.Token);
        }
        catch (OperationCanceledException) when (read.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // Whoever reads has seen enough.
            return unread;
        }
    }

    private static unsafe void EndWhenUnread(int descriptor, CancellationTokenSource read)
    {
        // Nothing is asked for: errors (POLLERR, POLLHUP) are told in any case, and a signal (EINTR) is none.
        var entry = new PollEntry { Descriptor = descriptor };
        while (poll(&entry, 1, -1) <= 0)
        {
            if (Marshal.GetLastPInvokeError() is not Interrupted)
                return;
        }

        // Standard output was closed from the start: whoever did that wants the command all the same.
        if ((entry.Returned & Invalid) != 0)
            return;
        try
        {
            read.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The command has ended by itself.
        }
    }

    private const int Interrupted = 4; // EINTR
    private const short Invalid = 0x20; // POLLNVAL

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }

#pragma warning disable IDE1006, SYSLIB1054 // the C library's own names
    [LibraryImport("libc", SetLastError = true)]
    private static unsafe partial int poll(PollEntry* entries, nuint count, int timeout);
#pragma warning restore IDE1006, SYSLIB1054
}
