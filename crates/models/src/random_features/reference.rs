use rmt_task::Reference;

pub(crate) const SCALING_AND_RENORMALIZATION: Reference = Reference {
    key: "atanasov2024scaling",
    authors: "Atanasov, Alexander and Zavatone-Veth, Jacob A. and Pehlevan, Cengiz",
    title: "Scaling and renormalization in high-dimensional regression",
    year: 2024,
    venue: "arXiv:2405.00592",
};

pub(crate) const DIMENSION_FREE: Reference = Reference {
    key: "defilippis2024dimension",
    authors: "Defilippis, Leonardo and Loureiro, Bruno and Misiakiewicz, Theodor",
    title: "Dimension-free deterministic equivalents and scaling laws for random feature regression",
    year: 2024,
    venue: "arXiv:2405.15699",
};
