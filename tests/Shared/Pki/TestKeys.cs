using System.Collections.Concurrent;
using MeshTrust.Pki;
using MeshTrust.Settings;

namespace MeshTrust.Tests.Pki;

/// <summary>Keys that tests share, generated once: RSA takes seconds.</summary>
internal static class TestKeys
{
    private static readonly ConcurrentDictionary<(KeyAlgorithm, int), Lazy<PrivateKeyPem>> Keys = new();

    public static PrivateKeyPem Of(KeyAlgorithm algorithm, int number = 0) =>
        Keys.GetOrAdd((algorithm, number), static key => new Lazy<PrivateKeyPem>(() => KeyGeneration.Generate(key.Item1))).Value;
}
