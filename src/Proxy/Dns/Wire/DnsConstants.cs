namespace Weft.Proxy.Dns.Wire;

/// <summary>Numbers of RFC 1035, 2782 (SRV), 3596 (AAAA), 6891 (OPT).</summary>
internal static class RecordType
{
    public const ushort A = 1, NS = 2, CNAME = 5, SOA = 6, PTR = 12, HINFO = 13, TXT = 16, AAAA = 28, SRV = 33, OPT = 41, SVCB = 64, HTTPS = 65, IXFR = 251, AXFR = 252, Any = 255;
}

internal static class Rcode
{
    public const byte NoError = 0, FormErr = 1, ServFail = 2, NxDomain = 3, NotImp = 4, Refused = 5;

    /// <summary>Extended (RFC 6891): its upper bits go into the OPT record.</summary>
    public const int BadVersion = 16;
}

internal static class DnsLimits
{
    public const int Header = 12;
    public const int MaxName = 255;
    public const int MaxLabel = 63;
    public const ushort ClassIn = 1;

    /// <summary>Without EDNS (RFC 1035 section 2.3.4).</summary>
    public const int PlainUdp = 512;

    /// <summary>Fits every path without fragments (DNS flag day 2020): offered, and never exceeded however much a client offers.</summary>
    public const int EdnsUdp = 1232;
    public const int MaxMessage = 65535;
}
