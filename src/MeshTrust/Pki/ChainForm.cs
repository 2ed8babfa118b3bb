namespace MeshTrust.Pki;

/// <summary>What <c>cert-chain.pem</c> holds above the intermediate.</summary>
public enum ChainForm
{
    /// <summary>It ends with the root, as Istio's Makefile writes it. Replies of istiod then carry the root twice (istio/istio#43654).</summary>
    WithRoot,

    /// <summary>It leaves the root out: all that istiod needs.</summary>
    WithoutRoot,
}
