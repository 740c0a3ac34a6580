using Weft.Cli.Proxies.HotRestart;

namespace Weft.Cli.Supervision;

/// <summary>One program that the supervisor keeps running.</summary>
/// <param name="Name">Names it in the log, in `weft status` and in the file of children: `server`, `proxy`, `agent-2`.</param>
/// <param name="Program">Absolute path.</param>
public sealed record ChildSpec(string Name, string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>Added to the supervisor's own environment.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Without it there is no cluster: when its first start says <see cref="Supervisor.CannotStart"/>, the supervisor ends with that code.</summary>
    public bool IsEssential { get; init; }

    /// <summary>A run of at least this long ends a series of crashes: the next restart is immediate again.</summary>
    public TimeSpan Healthy { get; init; } = RestartBackoff.DefaultHealthy;

    /// <summary>How long it may take to end when it is asked to.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Whether what it needs is there; null: it needs nothing. It is not started before, and nothing is said of that: it is no fault.</summary>
    public Func<bool>? IsWanted { get; init; }

    /// <summary>Asked before each start, in place of the arguments that are known from the beginning: what was decided meanwhile.</summary>
    public Func<IReadOnlyList<string>>? LateArguments { get; init; }

    /// <summary>Called before the first start; the supervisor keeps the sockets open and hands them to every run, so that what arrives between two
    /// runs waits in them. A socket that cannot be opened (<see cref="System.Net.Sockets.SocketException"/>, <see cref="IOException"/>) is tried again with the child's own back-off.</summary>
    public Func<IReadOnlyList<HeldSocket>>? OpenSockets { get; init; }

    /// <summary>Whether it opens sockets itself that are to outlive it: it is given one more (<see cref="ControlSocket.Name"/>) over which it leaves them with the supervisor, has those of the run before, and is
    /// told to begin.</summary>
    public bool LeavesDescriptors { get; init; }

    /// <summary>Whether another run of it is started in advance, and waits to be told to begin (<see cref="LeavesDescriptors"/>), so that the end of one costs no start of a process.</summary>
    public bool HasStandby { get; init; }
}

/// <summary>A socket that a child finds as an open descriptor; its arguments say which: `--socket NAME=DESCRIPTOR`.</summary>
public sealed record HeldSocket(string Name, System.Net.Sockets.Socket Socket);
