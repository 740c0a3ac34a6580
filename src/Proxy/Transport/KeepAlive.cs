using Weft.Proxy.Config.Model;
using Weft.Proxy.Transport.Interop;

namespace Weft.Proxy.Transport;

/// <summary>TCP's probes in the kernel's unit, whole seconds.</summary>
/// <param name="Idle">0: none are sent.</param>
internal readonly record struct KeepAlive(int Idle, int Interval, int Probes)
{
    public static KeepAlive Of(TcpKeepAlive? config) => config is null || config.Idle <= TimeSpan.Zero ? default : new(Seconds(config.Idle), Seconds(config.Interval), config.Probes);

    public void Apply(int fd)
    {
        if (!LocalSockets.IsLocal(fd))
            SocketCalls.KeepAlive(fd, Idle, Interval, Probes);
    }

    private static int Seconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);
}
