use super::*;

fn close(a: f64, b: f64, tolerance: f64, what: &str) {
    assert!((a - b).abs() <= tolerance, "{what}: {a:e} against {b:e}, off by {:e}", a - b);
}

/// Each closed form against the quadrature, over eight decades of v: a wrong factor of v or a lost
/// Stein term shows at order one. 1e-14 of √E φ² is the accuracy promised.
#[test]
fn closed_forms_agree_with_quadrature() {
    use ActivationFunction::*;
    for activation in [Linear, Relu, LeakyRelu { slope: 0.2 }, Abs, Erf, Gelu, Sin, Sign, Step] {
        for v in [1e-4, 0.3, 1.0, 2.5, 100.0, 1e4] {
            if activation == Sin && v > 100.0 {
                continue; // a wave a thousand times shorter than the Gaussian: closed form only
            }
            let closed = activation.closed_form(v).unwrap();
            let integral = activation.integrate(v);
            let square = closed.mean.powi(2) + closed.linear.powi(2) + closed.nonlinear_variance;
            let what = format!("{activation:?} at v = {v}");
            close(integral.mean, closed.mean, 1e-14 * square.sqrt(), &what);
            close(integral.linear, closed.linear, 1e-14 * square.sqrt(), &what);
            close(integral.nonlinear_variance, closed.nonlinear_variance, 3e-15 * square, &what);
        }
    }
}

/// tanh has no closed form: against 16 published digits (Gauss–Hermite with 600 nodes).
#[test]
fn tanh_at_unit_variance() {
    let c = ActivationFunction::Tanh.hermite(1.0).unwrap();
    close(c.linear, 0.605705509602159, 1e-15, "μ₁");
    close(c.nonlinear_variance, 0.0274153260354303, 3e-16, "μ*²");
}

/// μ*² of erf at small v is ~ v³ and must keep its relative digits: φ = (2/√π)(x − x³/3 + x⁵/10),
/// E(third Hermite part)² = (2/√π)² v³·(6/9) to leading order.
#[test]
fn nonlinear_variance_does_not_cancel() {
    let v = 1e-8_f64;
    let c = ActivationFunction::Erf.hermite(v).unwrap();
    let leading = 4.0 / PI * v.powi(3) * 6.0 / 9.0;
    close(c.nonlinear_variance / leading, 1.0, 1e-6, "μ*² of erf");
}

/// An activation given by samples converges to the function it was sampled from.
#[test]
fn samples_reproduce_the_function() {
    let of = |count: usize| {
        let arguments: Vec<f64> =
            (0..count).map(|i| -8.0 + 16.0 * i as f64 / (count - 1) as f64).collect();
        let values = arguments.iter().map(|x| x.tanh()).collect();
        ActivationFunction::Samples { arguments, values }.hermite(1.0).unwrap()
    };
    let exact = ActivationFunction::Tanh.hermite(1.0).unwrap();
    // Cubic interpolation: fourth order, so doubling the points gains a factor ~16.
    let (coarse, fine) = (of(81), of(161));
    let error = |c: HermiteCoefficients| (c.nonlinear_variance - exact.nonlinear_variance).abs();
    assert!(error(fine) < 1e-6, "{}", error(fine));
    assert!(error(coarse) / error(fine) > 8.0, "{} {}", error(coarse), error(fine));
}

#[test]
fn bad_inputs_are_named() {
    let read = |text: &str| serde_json::from_str::<ActivationFunction>(text);
    assert!(read("\"relo\"").unwrap_err().to_string().contains("did you mean \"relu\""));
    assert!(read(r#"{"kind": "coefficients", "linear": 0.5, "nonlinear_variance": -1}"#).is_err());
    assert!(
        read(r#"{"kind": "samples", "arguments": [0, 1, 1, 2], "values": [0, 1, 2, 3]}"#).is_err()
    );
    let short = read(r#"{"kind": "samples", "arguments": [-1, 0, 1, 2], "values": [0, 1, 2, 3]}"#);
    assert!(short.unwrap().hermite(1.0).is_err());
    assert!(ActivationFunction::Relu.hermite(f64::NAN).is_err());
    for text in ["\"selu\"", r#"{"kind":"leaky_relu","slope":0.3}"#] {
        let function = read(text).unwrap();
        let written = serde_json::to_string(&function).unwrap();
        assert_eq!(read(&written).unwrap(), function, "round trip");
    }
}
