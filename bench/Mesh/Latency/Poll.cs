using System.Runtime.InteropServices;

namespace Weft.Bench.Mesh.Latency;

/// <summary>Waits for descriptors to the nanosecond: what .NET has counts in milliseconds.</summary>
internal static unsafe partial class Poll
{
    public const short In = 1;

    private const int TimerSlack = 29; // PR_SET_TIMERSLACK

    /// <summary>The calling thread is woken when it asked to be; else the kernel may be 50 us late to save wake-ups.</summary>
    public static void BePrecise() => _ = prctl(TimerSlack, 1, 0, 0, 0);

    /// <returns>How many have something to be read; 0 after the time.</returns>
    public static int Wait(Entry[] entries, TimeSpan most)
    {
        var time = new Time { Seconds = (long)most.TotalSeconds, Nanoseconds = Math.Max(0, most.Ticks % TimeSpan.TicksPerSecond * 100) };
        fixed (Entry* first = entries)
            return ppoll(first, (nuint)entries.Length, &time, null);
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Entry
    {
        public int Descriptor;
        public short Wanted;
        public short Found;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds;
        public long Nanoseconds;
    }

    [LibraryImport("libc")]
    private static partial int ppoll(Entry* entries, nuint count, Time* time, void* signals);

    [LibraryImport("libc")]
    private static partial int prctl(int option, nuint a, nuint b, nuint c, nuint d);
}
