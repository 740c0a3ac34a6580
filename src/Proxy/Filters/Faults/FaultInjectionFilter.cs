using Weft.Proxy.Config.Model;
using Weft.Proxy.Routing.Actions;
using Weft.Proxy.Telemetry;

namespace Weft.Proxy.Filters.Faults;

internal sealed class FaultInjectionFilter(FaultFilter config) : RequestFilter
{
    private static readonly object Delayed = new();

    public override FilterVerdict OnRequest(ExchangeContext context)
    {
        ref var rng = ref context.Host.Rng;
        if (context.State is null && config.Delay > TimeSpan.Zero && Chance.Hits(config.DelayFraction, ref rng))
        {
            context.State = Delayed;
            context.Flags |= ResponseFlags.DelayInjected;
            context.Host.ResumeAfter(config.Delay);
            return FilterVerdict.Suspend;
        }

        if ((config.AbortStatus == 0 && config.AbortGrpcStatus is null) || !Chance.Hits(config.AbortFraction, ref rng))
            return FilterVerdict.Continue;
        if (config.AbortGrpcStatus is not { } grpc)
            return context.Respond(config.AbortStatus, "fault_abort", "fault injected\n");
        context.Reply.SetGrpc(grpc, "fault injected"u8);
        context.Detail = "fault_abort";
        return FilterVerdict.Respond;
    }
}
