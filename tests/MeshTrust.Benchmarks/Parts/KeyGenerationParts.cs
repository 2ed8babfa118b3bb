using BenchmarkDotNet.Attributes;
using MeshTrust.Pki;
using MeshTrust.Settings;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.Math;
using Org.BouncyCastle.Security;

namespace MeshTrust.Benchmarks.Parts;

#pragma warning disable CA1822 // BenchmarkDotNet calls only instance methods.

/// <summary>The platform's key generation compared with BouncyCastle's. RSA times vary widely: see the error column.</summary>
public class KeyGenerationParts
{
    [Benchmark(Baseline = true)]
    public object Rsa2048() => KeyGeneration.Generate(KeyAlgorithm.Rsa2048);

    [Benchmark]
    public AsymmetricCipherKeyPair Rsa2048BouncyCastle()
    {
        var generator = new RsaKeyPairGenerator();
        generator.Init(new RsaKeyGenerationParameters(BigInteger.ValueOf(65537), new SecureRandom(), 2048, 100));
        return generator.GenerateKeyPair();
    }

    [Benchmark]
    public object P256() => KeyGeneration.Generate(KeyAlgorithm.EcdsaP256);
}
