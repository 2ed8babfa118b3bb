using MeshTrust.Pki;

namespace MeshTrust.Checks;

/// <summary>
/// The rules of Verify on what a CA outside of MeshTrust signed, before it is in the trust store. Errors only: Verify repeats the warnings.
/// </summary>
internal static class ImportChecks
{
    public static IEnumerable<Problem> Judge(SignedChain chain, DateTimeOffset at)
    {
        (string Id, IEnumerable<Finding> Findings)[] rules =
        [
            ("MT5007", chain.All.SelectMany(KeyChecks.AcceptedKey)),
            ("MT5008", chain.All.SelectMany(ChainChecks.CaBits)),
            ("MT5009", ChainChecks.PathLengths(chain)),
            ("MT5010", chain.All.SelectMany(entry => ChainChecks.Validity(chain, entry, at))),
            ("MT5011", ChainChecks.Nesting(chain)),
            ("MT5018", chain.Path.SelectMany(ca => ChainChecks.Restrictions(ca, []))),
            ("MT5019", chain.Path.SelectMany(ca => KeyChecks.Identifiers(chain, ca))),
            ("MT5020", chain.Path.SelectMany(KeyChecks.SignatureAndSerial)),
        ];
        return from rule in rules
               from finding in rule.Findings
               where finding.Severity == Severity.Error
               select finding with { Id = rule.Id, Location = chain.File };
    }
}
