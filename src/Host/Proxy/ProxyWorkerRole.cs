using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Weft.Cli.Proxies.HotRestart;
using Weft.Host.Server;
using Weft.Proxy.Config.Model;
using Weft.Proxy.Runtime;

namespace Weft.Host.Proxy;

/// <summary>
/// The process that serves by a file. It is started before it is needed, waits until its supervisor tells it to begin, and leaves there what the process after it needs: sockets, keys of session tickets, and the
/// text that it serves by.
/// </summary>
internal static partial class ProxyWorkerRole
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    // All of its signals come from who means the supervisor: a terminal, a service manager that signals the whole group.
    private static readonly PosixSignal[] Ignored = [PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP, (PosixSignal)12 /* SIGUSR2 */];

    /// <param name="arguments">As the supervisor adds them.</param>
    /// <param name="rehearse">It is not waited for yet.</param>
    public static async Task<int> RunAsync(string path, bool rehearse, string[] arguments, TimeProvider time)
    {
        using var loggers = new ConsoleLog(time, LogLevel.Information);
        var logger = loggers.CreateLogger("Weft.Proxy");
        if (ControlSocket.Among(arguments) is not { } socket)
        {
            Log.NoSupervisor(logger);
            return WorkerOrders.BadConfiguration;
        }

        var signals = Ignored.Select(signal => PosixSignalRegistration.Create(signal, context => context.Cancel = true)).ToList();
        using var link = new SupervisorLink(socket);
        try
        {
            if (rehearse)
            {
                using var needed = new CancellationTokenSource();
                var rehearsal = Task.Run(() => Rehearsal.RunAsync(path, time, loggers, needed.Token));
                // Who is needed before that is over begins at once: somebody waits.
                if (await Task.WhenAny(rehearsal, link.Orders.WaitToReadAsync().AsTask()) != rehearsal)
                {
                    await needed.CancelAsync();
                }
                else
                {
                    await rehearsal;
                    link.Say(WorkerOrders.Standby);
                }
            }

            while (await link.Orders.WaitToReadAsync())
            {
                switch (await link.Orders.ReadAsync())
                {
                    case WorkerOrders.End:
                        return 0;
                    case WorkerOrders.Serve:
                        return await new ProxyWorker(link, new WatchedFile(path), path, time, loggers).RunAsync(recover: false);
                    case WorkerOrders.Recover:
                        return await new ProxyWorker(link, new WatchedFile(path), path, time, loggers).RunAsync(recover: true);
                }
            }

            return 0; // the supervisor is gone, and nobody was served
        }
        finally
        {
            signals.ForEach(signal => signal.Dispose());
        }
    }

    /// <summary>One run, from the order to begin to the last connection.</summary>
    private sealed class ProxyWorker(SupervisorLink link, WatchedFile file, string path, TimeProvider time, ILoggerFactory loggers)
    {
        private readonly ILogger _logger = loggers.CreateLogger("Weft.Proxy");
        // Tries, 50 ms apart: by then the process before has given it up, and somebody else has it.
        private const int AdminPatience = 100;

        private static readonly TimeSpan AliveReserve = TimeSpan.FromSeconds(5);

        private Inheritance? _inherited;
        private AdminServer? _admin;
        private bool _draining;

        public async Task<int> RunAsync(bool recover)
        {
            file.LookAtNew(ProxyConfig.Empty);
            if (file.Read(out var text) is { } config && await TryServeAsync(config, text, recover) is { } code)
                return code;
            if (!recover || link.TakeConfiguration() is not { } last || file.Parse(last) is not { } served)
                return WorkerOrders.BadConfiguration;
            Log.Kept(_logger, path);
            return await TryServeAsync(served, last, recover) ?? WorkerOrders.BadConfiguration;
        }

        /// <summary>Null: it is not taken, which has been said, and what was inherited is still there.</summary>
        private async Task<int?> TryServeAsync(ProxyConfig config, string text, bool recover)
        {
            // The one place where chance enters: everything below is given this.
#pragma warning disable RS0030
            var random = Random.Shared;
#pragma warning restore RS0030

            Stream? access = null;
            ProxyEngine? engine = null;
            try
            {
                try
                {
                    access = AccessLog(config);
                    engine = new ProxyEngine(config.Loops, access, time, random, loggers, Inherited(renew: !recover));
                    file.LookAtNew(config);
                    await engine.ApplyAsync(config);
                    StartAdmin(engine, config);
                }
                catch (ProxyConfigException refused)
                {
                    file.Print(refused.Errors);
                    return null;
                }
                catch (Exception failed) when (IsOfTheFile(failed))
                {
                    Log.Failed(_logger, path, failed);
                    return null;
                }

                link.ReleaseRest();
                link.KeepConfiguration(text);
                SayReady(config);
                engine.WatchLoops(() => SayAlive(engine), End);
                foreach (var (name, address) in engine.Addresses)
                    Log.Listening(_logger, name, address);
                return await FollowAsync(engine);
            }
            finally
            {
                if (_admin is not null)
                    await _admin.DisposeAsync();
                if (engine is not null)
                    await engine.DisposeAsync();
                if (access is not null)
                    await access.DisposeAsync();
            }
        }

        private Inheritance Inherited(bool renew)
        {
            if (_inherited is null)
            {
                _inherited = Inheritance.Of(link, link.TakeTickets(), renew);
                link.KeepTickets(_inherited.ExportTickets());
            }

            return _inherited;
        }

        // What a configuration can bring about when it meets the machine.
        private static bool IsOfTheFile(Exception failed) => failed is IOException or UnauthorizedAccessException or SocketException or ArgumentException or InvalidOperationException;

        private async Task<int> FollowAsync(ProxyEngine engine)
        {
            using var timer = new PeriodicTimer(Look, time);
            var tick = timer.WaitForNextTickAsync().AsTask();
            var order = link.Orders.WaitToReadAsync().AsTask();
            var frozen = false;
            while (true)
            {
                var happened = await Task.WhenAny(order, tick);
                if (happened == tick)
                {
                    tick = timer.WaitForNextTickAsync().AsTask();
                    if (!frozen && file.HasChanged(engine.Config))
                        await ReloadAsync(engine);
                }
                else if (!await order)
                {
                    Log.Orphaned(_logger);
                    return await DrainAsync(engine, handedOver: false);
                }
                else
                {
                    switch (await link.Orders.ReadAsync())
                    {
                        case WorkerOrders.Reload:
                            file.HasChanged(engine.Config);
                            await ReloadAsync(engine);
                            break;
                        case WorkerOrders.Freeze:
                            frozen = true;
                            link.Say(WorkerOrders.Frozen);
                            break;
                        case WorkerOrders.Thaw:
                            frozen = false;
                            break;
                        case WorkerOrders.Drain:
                            return await DrainAsync(engine, handedOver: true);
                        case WorkerOrders.End:
                            return await DrainAsync(engine, handedOver: false);
                    }

                    order = link.Orders.WaitToReadAsync().AsTask();
                }
            }
        }

        private async Task<int> DrainAsync(ProxyEngine engine, bool handedOver)
        {
            _draining = true;
            Log.Draining(_logger, engine.Config.DrainTimeout.TotalSeconds);
            if (handedOver && _admin is not null)
            {
                // The next process waits for the address.
                await _admin.DisposeAsync();
                _admin = null;
            }

            var drained = engine.DrainAsync(engine.Config.DrainTimeout, handedOver);
            while (!drained.IsCompleted && await Task.WhenAny(drained, link.Orders.WaitToReadAsync().AsTask()) != drained)
            {
                if (!link.Orders.TryRead(out var order))
                    break; // the supervisor is gone: there is nothing more to hear
                if (order != WorkerOrders.End || !handedOver)
                    continue;
                // Now somebody waits.
                handedOver = false;
                drained = engine.DrainAsync(engine.Config.DrainTimeout);
            }

            await drained;
            return 0;
        }

        private async Task ReloadAsync(ProxyEngine engine)
        {
            if (file.Read(out var text) is not { } config)
            {
                Log.Kept(_logger, path);
                return;
            }

            file.LookAtNew(config);
            try
            {
                // This process keeps the log that it began with; one that follows must be able to begin by this text.
                if (config.AccessLog != engine.Config.AccessLog && AccessLog(config) is { } access)
                    await access.DisposeAsync();
                await engine.ApplyAsync(config);
                link.KeepConfiguration(text);
                SayReady(config);
            }
            catch (ProxyConfigException refused)
            {
                file.Print(refused.Errors);
                Log.Kept(_logger, path);
            }
            catch (Exception failed) when (IsOfTheFile(failed))
            {
                Log.Failed(_logger, path, failed);
            }
        }

        private void SayReady(ProxyConfig config) => link.Say(FormattableString.Invariant($"{WorkerOrders.Ready} {config.DrainTimeout.TotalMilliseconds:0}"));

        // The process itself finds a loop that hangs, and says which; its supervisor finds when it does not come to that.
        private void SayAlive(ProxyEngine engine)
        {
            var limit = engine.Config.LoopTimeout;
            link.Say(FormattableString.Invariant($"{WorkerOrders.Alive} {(limit > TimeSpan.Zero ? (limit + AliveReserve).TotalMilliseconds : 0):0}"));
        }

        // At once and whole, as after a crash: what hangs cannot be waited for.
        private void End(string loop)
        {
            Log.Hangs(_logger, loop);
            using var self = Process.GetCurrentProcess();
            self.Kill();
        }

        // A proxy before this one may have the address until it has heard that this one serves: then it is tried again, and nothing else waits for it.
        private void StartAdmin(ProxyEngine engine, ProxyConfig config)
        {
            if (config.Admin is not { } settings)
                return;
            try
            {
                StartAdmin(engine, settings);
            }
            catch (ProxyConfigException) when (link.IsSuccessor)
            {
                _ = StartAdminLaterAsync(engine, settings);
            }
        }

        private async Task StartAdminLaterAsync(ProxyEngine engine, AdminConfig settings)
        {
            for (var tries = 1; !_draining; tries++)
            {
                await Task.Delay(Look / 10, time);
                try
                {
                    StartAdmin(engine, settings);
                    return;
                }
                catch (ProxyConfigException taken)
                {
                    if (tries == AdminPatience)
                        Log.AdminWaits(_logger, string.Join("; ", taken.Errors));
                }
            }
        }

        private void StartAdmin(ProxyEngine engine, AdminConfig settings)
        {
            var admin = AdminServer.Start(new IPEndPoint(IPAddress.Parse(settings.Address), settings.Port), request => Answer(engine, request), time, loggers.CreateLogger<AdminServer>());
            _admin = admin;
            Log.Admin(_logger, admin.Address);
        }

        private (int Status, string ContentType, string Body) Answer(ProxyEngine engine, string request)
        {
            switch (request)
            {
                case "/metrics":
                    using (var text = new StringWriter { NewLine = "\n" })
                    {
                        engine.WriteMetrics(text);
                        return (200, "text/plain; version=0.0.4; charset=utf-8", text.ToString());
                    }
                case "/ready" when _draining:
                    return (503, "text/plain", "draining\n");
                case "/healthz" or "/ready":
                    return (200, "text/plain", "ok\n");
                default:
                    return (404, "text/plain", "/metrics, /healthz, /ready\n");
            }
        }

        private static Stream? AccessLog(ProxyConfig config) =>
            !config.AccessLog.Enabled ? null
            : config.AccessLog.File is { } file ? new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete)
            : Console.OpenStandardOutput();
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "this role is started by weft proxy --config", EventName = nameof(NoSupervisor))]
        public static partial void NoSupervisor(ILogger logger);

        [LoggerMessage(LogLevel.Information, "listener {Listener} on {Address}", EventName = nameof(Listening))]
        public static partial void Listening(ILogger logger, string listener, IPEndPoint address);

        [LoggerMessage(LogLevel.Information, "metrics and health on {Address}", EventName = nameof(Admin))]
        public static partial void Admin(ILogger logger, IPEndPoint address);

        [LoggerMessage(LogLevel.Warning, "{Reason}; tried again until it can be had", EventName = nameof(AdminWaits))]
        public static partial void AdminWaits(ILogger logger, string reason);

        [LoggerMessage(LogLevel.Warning, "{File} is not taken; what was served goes on", EventName = nameof(Kept))]
        public static partial void Kept(ILogger logger, string file);

        [LoggerMessage(LogLevel.Error, "{File} could not be applied whole", EventName = nameof(Failed))]
        public static partial void Failed(ILogger logger, string file, Exception failure);

        [LoggerMessage(LogLevel.Critical, "{Loop} has not turned for as long as loopTimeout says: this process ends, so that another takes its place", EventName = nameof(Hangs))]
        public static partial void Hangs(ILogger logger, string loop);

        [LoggerMessage(LogLevel.Information, "ending: open requests have {Seconds} s", EventName = nameof(Draining))]
        public static partial void Draining(ILogger logger, double seconds);

        [LoggerMessage(LogLevel.Error, "the supervisor is gone, so nobody would begin again after this process: it ends", EventName = nameof(Orphaned))]
        public static partial void Orphaned(ILogger logger);
    }
}
