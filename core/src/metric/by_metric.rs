//! A map from metrics to values.
//!
//! A sorted list is as fast as a `BTreeMap` for a dozen rows, and takes a twentieth of the time to compile for each
//! type of value.

use super::Metric;

/// A map with one value for each of some metrics, in the order of the metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct ByMetric<V> {
    rows: Vec<(Metric, V)>,
}

impl<V> Default for ByMetric<V> {
    fn default() -> Self {
        ByMetric { rows: Vec::new() }
    }
}

impl<V> ByMetric<V> {
    /// Makes an empty map.
    pub fn new() -> Self {
        Self::default()
    }

    fn position(&self, metric: &Metric) -> Result<usize, usize> {
        self.rows.binary_search_by(|row| row.0.cmp(metric))
    }

    /// Returns the value of a metric.
    pub fn get(&self, metric: &Metric) -> Option<&V> {
        self.position(metric).ok().map(|at| &self.rows[at].1)
    }

    /// Whether there is a value for a metric.
    pub fn contains_key(&self, metric: &Metric) -> bool {
        self.position(metric).is_ok()
    }

    /// Adds a row, or replaces the value of an existing one.
    pub fn insert(&mut self, metric: impl Into<Metric>, value: V) {
        let metric = metric.into();
        match self.position(&metric) {
            Ok(at) => self.rows[at].1 = value,
            Err(at) => self.rows.insert(at, (metric, value)),
        }
    }

    /// Returns the value of a metric, after adding a default one if there was none.
    pub fn or_default(&mut self, metric: &Metric) -> &mut V
    where
        V: Default,
    {
        let at = self.position(metric).unwrap_or_else(|at| {
            self.rows.insert(at, (metric.clone(), V::default()));
            at
        });
        &mut self.rows[at].1
    }

    /// Returns the number of metrics.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no metrics.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the rows.
    pub fn rows(&self) -> &[(Metric, V)] {
        &self.rows
    }

    /// Returns the metrics.
    pub fn keys(&self) -> impl Iterator<Item = &Metric> {
        self.rows.iter().map(|row| &row.0)
    }

    /// Returns the values.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.rows.iter().map(|row| &row.1)
    }
}

impl<V> std::ops::Index<&Metric> for ByMetric<V> {
    type Output = V;

    /// # Panics
    /// If there is no value for the metric.
    fn index(&self, metric: &Metric) -> &V {
        let found = self.get(metric);
        found.unwrap_or_else(|| panic!("there is nothing for `{metric}`"))
    }
}

impl<V> IntoIterator for ByMetric<V> {
    type Item = (Metric, V);
    type IntoIter = std::vec::IntoIter<(Metric, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.rows.into_iter()
    }
}

impl<V> FromIterator<(Metric, V)> for ByMetric<V> {
    fn from_iter<I: IntoIterator<Item = (Metric, V)>>(rows: I) -> Self {
        let mut table = ByMetric::new();
        for (metric, value) in rows {
            table.insert(metric, value);
        }
        table
    }
}

impl<V, const N: usize> From<[(Metric, V); N]> for ByMetric<V> {
    fn from(rows: [(Metric, V); N]) -> Self {
        rows.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::Key;
    use super::*;

    #[test]
    fn the_last_value_of_a_metric_counts() {
        let [size, gzip, brotli, rss, exit] =
            [Key::Size, Key::Gzip, Key::Brotli, Key::Rss, Key::Exit].map(Metric::from);
        let mut table = ByMetric::from([
            (size.clone(), 1),
            (rss.clone(), 2),
            (gzip.clone(), 3),
            (size.clone(), 4),
        ]);
        let sorted = [(size, 4), (gzip.clone(), 3), (rss.clone(), 2)];
        assert_eq!(table.rows(), sorted);
        assert_eq!((table[&gzip], table.get(&brotli), table.len()), (3, None, 3));
        *table.or_default(&rss) += 5;
        *table.or_default(&brotli) += 6;
        assert_eq!(table.values().copied().collect::<Vec<_>>(), [4, 3, 6, 7]);
        assert!(table.contains_key(&brotli) && !table.contains_key(&exit));
    }
}
