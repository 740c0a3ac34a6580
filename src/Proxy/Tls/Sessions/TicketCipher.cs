using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Weft.Proxy.Tls.Native;

namespace Weft.Proxy.Tls.Sessions;

/// <summary>Gives libssl the key for a ticket (RFC 5077 section 4: AES-CBC, then HMAC).</summary>
internal static unsafe class TicketCipher
{
    private const int IvLength = 16;
    private const uint OctetString = 5;
    private const uint Utf8String = 4;

    internal const int Failed = -1;
    internal const int NoKey = 0;
    internal const int Done = 1;
    internal const int DoneRenew = 2;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    internal static int Choose(nint ssl, byte* name, byte* iv, nint cipher, nint mac, int encrypt)
    {
        try
        {
            return LibSslEngine.Of(ssl).TicketKeys is { } keys ? Choose(keys, name, iv, cipher, mac, encrypt != 0) : NoKey;
        }
        catch (Exception)
        {
            return Failed; // No exception may cross native frames.
        }
    }

    private static int Choose(TicketKeys keys, byte* name, byte* iv, nint cipher, nint mac, bool encrypt)
    {
        var index = encrypt ? 0 : keys.IndexOf(new ReadOnlySpan<byte>(name, TicketKeys.NameLength));
        if (index < 0)
            return NoKey;

        fixed (byte* key = keys[index])
        {
            var hmac = key + TicketKeys.NameLength;
            var aes = hmac + TicketKeys.SecretLength;
            if (encrypt)
            {
                Unsafe.CopyBlockUnaligned(name, key, TicketKeys.NameLength);
                if (LibCrypto.RAND_bytes(iv, IvLength) != 1 || LibCrypto.EVP_EncryptInit_ex(cipher, LibCrypto.EVP_aes_256_cbc(), 0, aes, iv) != 1)
                    return Failed;
            }
            else if (LibCrypto.EVP_DecryptInit_ex(cipher, LibCrypto.EVP_aes_256_cbc(), 0, aes, iv) != 1)
            {
                return Failed;
            }

            fixed (byte* keyName = "key\0"u8, digestName = "digest\0"u8, digest = "sha256\0"u8)
            {
                var parameters = stackalloc LibCrypto.Parameter[3];
                parameters[0] = new() { Key = keyName, Type = OctetString, Data = hmac, Size = TicketKeys.SecretLength };
                parameters[1] = new() { Key = digestName, Type = Utf8String, Data = digest, Size = 6 };
                parameters[2] = default;
                if (LibCrypto.EVP_MAC_CTX_set_params(mac, parameters) != 1)
                    return Failed;
            }
        }

        return index == 0 ? Done : DoneRenew;
    }
}
