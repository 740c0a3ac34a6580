using Microsoft.Extensions.Logging;
using Weft.Cli.Proxies.HotRestart;
using Weft.Host.Server;

namespace Weft.Host.Proxy;

/// <summary>`weft proxy --config FILE`: the data plane by itself. This process holds the sockets; another one serves (<see cref="ProxyWorkerRole"/>).</summary>
internal static partial class ProxyFileRole
{
    public static async Task<int> RunAsync(string path, string program, TimeProvider time)
    {
        using var loggers = new ConsoleLog(time, LogLevel.Information);
        var logger = loggers.CreateLogger("Weft.Proxy.Supervisor");
        using var supervisor = new ProxySupervisor(program, path, sentence => Log.Said(logger, sentence), time);
        return await supervisor.RunAsync();
    }

    /// <summary>Says what is wrong with the file; gives the exit code.</summary>
    public static int Check(string path)
    {
        if (new WatchedFile(path).Read(out _) is not { } config)
            return WorkerOrders.BadConfiguration;
        Console.WriteLine($"{path} is fine: {config.Listeners.Count} listeners, {config.Clusters.Count} clusters");
        return 0;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "{Sentence}", EventName = nameof(Said))]
        public static partial void Said(ILogger logger, string sentence);
    }
}
