using MeshTrust.Checks;

namespace MeshTrust.Tests.Verification;

/// <summary>A damaged secret in one of four clusters, at every position: only the rows that depend on it fail.</summary>
[TestFixture]
internal sealed class DamagedSecretTests
{
    private static readonly string[] Names = ["c1", "c2", "c3", "c4"];
    private static readonly CraftedCertificate Root = CraftedCertificate.Root();
    private static readonly CraftedCertificate Other = CraftedCertificate.Root();

    /// <summary>How a secret is damaged, and what depends on it: what its workloads present (rows), and what they trust (columns).</summary>
    private static IEnumerable<(string Name, bool FromFails, bool ToFails, Action<Dictionary<string, string>> Damage)> Damages()
    {
        yield return ("no ca-key.pem", true, false, f => f.Remove("ca-key.pem"));
        yield return ("an empty ca-key.pem", true, false, f => f["ca-key.pem"] = "");
        yield return ("text in ca-key.pem", true, false, f => f["ca-key.pem"] = "hello");
        yield return ("an encrypted ca-key.pem", true, false, f => f["ca-key.pem"] = f["ca-key.pem"].Replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", StringComparison.Ordinal));
        yield return ("EC PARAMETERS before the key", true, false, f => f["ca-key.pem"] = CraftedKey.Pem("EC PARAMETERS", [6, 8, 42, 134, 72, 206, 61, 3, 1, 7]) + f["ca-key.pem"]);
        yield return ("a key whose DER is cut off", true, false, f => f["ca-key.pem"] = CraftedKey.Pem("PRIVATE KEY", [48, 129, 135, 2, 1, 0]));
        yield return ("an Ed25519 key", true, false, f => f["ca-key.pem"] = CraftedKey.Ed25519().Pkcs8);
        yield return ("another CA's key", true, false, f => f["ca-key.pem"] = CraftedKey.Curve().Pkcs8);
        yield return ("no ca-cert.pem", true, false, f => f.Remove("ca-cert.pem"));
        yield return ("text in ca-cert.pem", true, false, f => f["ca-cert.pem"] = "hello");
        yield return ("a cut-off certificate in cert-chain.pem", true, false, f => f["cert-chain.pem"] = CraftedKey.Pem("CERTIFICATE", [48, 130, 1, 0]));
        yield return ("two blocks on one line in cert-chain.pem", true, false, f => f["cert-chain.pem"] = f["cert-chain.pem"].Replace("-----\n-----", "----------", StringComparison.Ordinal));
        yield return ("an intermediate of another root", true, false, f => Replace(f, CraftedMesh.Files4(Other, CraftedMesh.Intermediate(Other, "x")), keepRoot: true));
        yield return ("no root-cert.pem", false, true, f => f.Remove("root-cert.pem"));
        yield return ("text in root-cert.pem", false, true, f => f["root-cert.pem"] = "hello");
        yield return ("a cut-off certificate in root-cert.pem", false, true, f => f["root-cert.pem"] = CraftedKey.Pem("CERTIFICATE", [48, 130, 1, 0]));
        yield return ("another root in root-cert.pem", false, true, f => f["root-cert.pem"] = Other.Pem);
        yield return ("nothing but a foreign mesh", true, true, f => Replace(f, CraftedMesh.Files4(Other, CraftedMesh.Intermediate(Other, "x")), keepRoot: false));
        yield return ("an empty secret", true, true, f => f.Clear());
    }

    private static void Replace(Dictionary<string, string> files, Dictionary<string, string> others, bool keepRoot)
    {
        foreach (var (name, text) in others.Where(o => !keepRoot || o.Key != "root-cert.pem")) files[name] = text;
    }

    private static IEnumerable<TestCaseData> Cases() =>
        from damage in Damages() from position in Enumerable.Range(0, Names.Length) select new TestCaseData(damage.FromFails, damage.ToFails, damage.Damage, position).SetArgDisplayNames(damage.Name, Names[position]);

    [TestCaseSource(nameof(Cases))]
    public void Breaks_only_the_pairs_that_depend_on_it(bool fromFails, bool toFails, Action<Dictionary<string, string>> damage, int position)
    {
        var mesh = new CraftedMesh();
        foreach (var name in Names)
        {
            var files = CraftedMesh.Files4(Root, CraftedMesh.Intermediate(Root, name));
            if (name == Names[position]) damage(files);
            mesh.Add(name, files);
        }

        var matrix = TrustInspection.Inspect(mesh.Snapshot()).Matrix;

        Assert.That(matrix.Pairs, Has.Count.EqualTo(Names.Length * Names.Length));
        using (Assert.EnterMultipleScope())
        {
            foreach (var pair in matrix.Pairs)
            {
                // The damaged cluster paired with itself is a separate mesh: a foreign one is intact.
                var alone = pair.From == Names[position] && pair.To == Names[position] && fromFails && toFails;
                if (alone) continue;
                var broken = (fromFails && pair.From == Names[position]) || (toFails && pair.To == Names[position]);
                Assert.That(pair.Trusted, Is.EqualTo(!broken), $"{pair.From} -> {pair.To}: {pair.Reason}");
            }
        }
    }

    /// <summary>The kubernetes.io/tls layout: chain and roots share bytes, so damage to ca.crt affects both.</summary>
    [Test]
    public void Breaks_only_its_own_pairs_in_the_tls_layout_too([Range(0, 3)] int position)
    {
        var mesh = new CraftedMesh();
        foreach (var name in Names)
        {
            var ca = CraftedMesh.Intermediate(Root, name);
            var damaged = name == Names[position];
            mesh.Add(name, new() { ["tls.crt"] = ca.Pem, ["tls.key"] = damaged ? "hello" : ca.Key.Pkcs8, ["ca.crt"] = Root.Pem });
        }

        var matrix = TrustInspection.Inspect(mesh.Snapshot()).Matrix;

        Assert.That(matrix.Pairs.Where(p => p.Trusted is false).Select(p => p.From).Distinct(), Is.EqualTo(new[] { Names[position] }));
        Assert.That(matrix.Trusted, Is.EqualTo(12));
    }
}
