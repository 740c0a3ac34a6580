namespace Weft.Proxy.Tls.Native;

/// <summary>Numbers of openssl/ssl.h, x509_vfy.h and x509v3.h, which stay the same over all releases of version 3.</summary>
internal static class Constants
{
    // A handler at exit would free what other threads still use; .NET's own start of libssl leaves it out for the same reason.
    internal const ulong InitNoAtExit = 0x0008_0000;

    internal const ulong OpNoTicket = 1UL << 14;
    internal const ulong OpNoCompression = 1UL << 17;
    internal const ulong OpPrioritizeChaCha = 1UL << 21;
    internal const ulong OpCipherServerPreference = 1UL << 22;
    internal const ulong OpNoRenegotiation = 1UL << 30;

    internal const int CtrlMode = 33;
    internal const int CtrlReadAhead = 41;
    internal const int CtrlSessionCacheMode = 44;
    internal const int CtrlHostName = 55;
    internal const int CtrlGroupsList = 92;
    internal const int CtrlMinVersion = 123;

    internal const nint ModeAcceptMovingWriteBuffer = 2;
    internal const nint ModeReleaseBuffers = 16;

    internal const nint SessionCacheOff = 0;
    internal const nint SessionCacheClientNoInternal = 0x0301;

    internal const int VerifyNone = 0;
    internal const int VerifyPeer = 1;
    internal const int VerifyFailIfNoPeerCert = 2;

    internal const int Tls12 = 0x0303;
    internal const int Tls13 = 0x0304;

    internal const int ErrorSsl = 1;
    internal const int ErrorWantRead = 2;
    internal const int ErrorZeroReturn = 6;

    internal const int ShutdownBoth = 3;

    internal const uint ExtensionServerName = 0;
    internal const int ClientHelloSuccess = 1;
    internal const int ClientHelloError = 0;
    internal const int AlertInternalError = 80;
    internal const int AlertUnrecognizedName = 112;
    internal const int AlpnOk = 0;
    internal const int AlpnFatal = 2;

    internal const int TicketNone = 2;
    internal const int TicketEmpty = 3;
    internal const int TicketNoDecrypt = 4;
    internal const int TicketSuccess = 5;
    internal const int TicketSuccessRenew = 6;
    internal const int TicketAbort = 0;
    internal const int TicketIgnore = 1;
    internal const int TicketIgnoreRenew = 2;
    internal const int TicketUse = 3;
    internal const int TicketUseRenew = 4;

    internal const int VerifyErrorUnspecified = 1;
    internal const int VerifyErrorApplication = 50;

    internal const nuint FlagPartialChain = 0x8_0000;
    internal const uint HostNoPartialWildcards = 0x4;
    internal const uint HostNeverCheckSubject = 0x20;

    internal const int NidSubjectAltName = 85;
    internal const int GeneralNameDns = 2;
    internal const int GeneralNameUri = 6;
    internal const uint UsageAbsent = uint.MaxValue;
    internal const uint UsageServer = 1;
    internal const uint UsageClient = 2;
    internal const uint KeyUsageCertSign = 0x4;
    internal const uint KeyUsageCrlSign = 0x2;

    internal const int LibSslErrors = 20;
    internal const int LibPemErrors = 9;
    internal const int PemNoStartLine = 108;
}
