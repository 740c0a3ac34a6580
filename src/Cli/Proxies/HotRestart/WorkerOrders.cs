using System.Globalization;

namespace Weft.Cli.Proxies.HotRestart;

/// <summary>
/// What a supervisor and its proxies say to each other. An old supervisor starts new programs (an upgrade), so words may be added here, and none may change its meaning.
/// </summary>
public static class WorkerOrders
{
    /// <summary>To a proxy: `have NAME`, with descriptors: what proxies before it left. Comes before <see cref="Serve"/>; a name may come more than once, with more of them.</summary>
    public const string Have = "have";

    /// <summary>To a proxy: begin by the file as it is.</summary>
    public const string Serve = "serve";

    /// <summary>To a proxy: the one before it has died: begin by the file, or if that has errors by what was served last.</summary>
    public const string Recover = "recover";

    /// <summary>To a proxy: read the file again.</summary>
    public const string Reload = "reload";

    /// <summary>To a proxy: another is about to begin, so do not look at the file any more. Answered with <see cref="Frozen"/> when no change is under way.</summary>
    public const string Freeze = "freeze";

    /// <summary>To a proxy: it came to nothing, look at the file again.</summary>
    public const string Thaw = "thaw";

    /// <summary>To a proxy: another accepts already. Let connections end, then end.</summary>
    public const string Drain = "drain";

    /// <summary>To a proxy: nobody follows. Let connections end quickly, then end.</summary>
    public const string End = "end";

    /// <summary>From a proxy: it is started, and waits to be told to begin.</summary>
    public const string Standby = "standby";

    /// <summary>From a proxy: `ready MILLISECONDS`: it serves by what it has just applied, and may need so long to drain.</summary>
    public const string Ready = "ready";

    public const string Frozen = "frozen";

    /// <summary>From a proxy: `alive MILLISECONDS`: its loops turn, and if nothing is heard of it for so long it is to be ended; 0: it is not. Said once a second.</summary>
    public const string Alive = "alive";

    /// <summary>From a proxy: `hold NAME`, with descriptors: keep these for those after me, in place of what had the name.</summary>
    public const string Hold = "hold";

    /// <summary>From a proxy: `more NAME`: these, too.</summary>
    public const string More = "more";

    /// <summary>From a proxy: `release NAME`: nobody needs these any more.</summary>
    public const string Release = "release";

    /// <summary>The code a proxy ends with when its file has errors or an address cannot be had.</summary>
    public const int BadConfiguration = 2;

    /// <summary>What a drain may take before a proxy has said it.</summary>
    public static readonly TimeSpan DefaultDrain = TimeSpan.FromSeconds(15);

    // Timers take no more than 49 days.
    private static readonly TimeSpan LongestDrain = TimeSpan.FromDays(40);

    /// <summary>The milliseconds of <see cref="Ready"/>. What is no such number still comes from a proxy that serves: the default then.</summary>
    public static TimeSpan DrainTime(string milliseconds) =>
        double.TryParse(milliseconds, NumberStyles.Float, CultureInfo.InvariantCulture, out var time) && !double.IsNaN(time)
            ? TimeSpan.FromMilliseconds(Math.Clamp(time, 0, LongestDrain.TotalMilliseconds))
            : DefaultDrain;

    /// <summary>The milliseconds of <see cref="Alive"/>; zero where it is no number.</summary>
    public static TimeSpan AliveLimit(string milliseconds) =>
        long.TryParse(milliseconds, NumberStyles.None, CultureInfo.InvariantCulture, out var time) ? TimeSpan.FromMilliseconds(Math.Min(time, LongestDrain.TotalMilliseconds)) : TimeSpan.Zero;

    public static (string Word, string Name) Split(string text) => text.IndexOf(' ', StringComparison.Ordinal) is var at and >= 0 ? (text[..at], text[(at + 1)..]) : (text, "");
}
