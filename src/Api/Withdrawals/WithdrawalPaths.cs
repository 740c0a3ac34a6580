using System.Globalization;

namespace Weft.Api.Withdrawals;

/// <summary>Where a node's agent asks whether a pod that is being deleted gets no more requests. The answer comes when it is so, or when the patience is over: `{"withdrawn": true}` or false.</summary>
public static class WithdrawalPaths
{
    public const string Prefix = "/weft.dev/withdrawals/v1/";

    public const string Patience = "milliseconds", Answer = "withdrawn";

    public static string Of(string @namespace, string pod, string uid, TimeSpan patience) =>
        string.Create(CultureInfo.InvariantCulture, $"{Prefix}{Uri.EscapeDataString(@namespace)}/{Uri.EscapeDataString(pod)}/{Uri.EscapeDataString(uid)}?{Patience}={patience.TotalMilliseconds:0}");
}
